package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/opencalls/opencalls/sandbox"
	"github.com/opencalls/opencalls/server"
)

// SandboxFlags make the server one for the tests of clients.
type SandboxFlags struct {
	Sandbox  bool      `help:"Serve /sandbox/ too, by which tests of clients reset the data, set the clock and have requests fail; on sqlite::memory: unless --database-url is given."`
	Start    time.Time `name:"sandbox-clock" placeholder:"TIME" help:"Time at which the sandbox's clock stands still, such as 2027-01-31T00:00:00Z; the machine's clock unless given."`
	Anywhere bool      `name:"sandbox-anywhere" help:"Let --listen be more than this machine: whoever reaches a sandbox may do everything in it."`

	clock *sandbox.Clock
}

// choose takes the clock, and the sandbox's own database unless another is given. It refuses what a sandbox
// can't do, or must not.
func (f *SandboxFlags) choose(trace *kong.Context, host string, databaseURL *string) error {
	f.clock = &sandbox.Clock{}
	if !f.Sandbox {
		if f.Anywhere || !f.Start.IsZero() {
			return errors.New("--sandbox-clock and --sandbox-anywhere: need --sandbox")
		}
		return nil
	}
	_, given := os.LookupEnv("OPENCALLS_DATABASE_URL")
	for _, part := range trace.Path {
		given = given || part.Flag != nil && part.Flag.Name == "database-url"
	}
	if !given {
		*databaseURL = "sqlite::memory:"
	}
	if !strings.HasPrefix(*databaseURL, "sqlite:") {
		return errors.New("--sandbox: works on SQLite alone, not on Postgres")
	}
	address, _ := netip.ParseAddr(host)
	if !f.Anywhere && host != "localhost" && !address.Unmap().IsLoopback() {
		return fmt.Errorf("--listen: whoever reaches a sandbox may do everything in it, and %q is more than this machine; --sandbox-anywhere allows it", host)
	}
	if f.Start.IsZero() {
		return nil
	}
	if err := f.clock.Set(f.Start, 0); err != nil {
		return fmt.Errorf("--sandbox-clock: %w", err)
	}
	return nil
}

// handler is the server.
func (f SandboxFlags) handler(ctx context.Context, cfg server.Config) (http.Handler, error) {
	if !f.Sandbox {
		return server.New(cfg)
	}
	cfg.Logger.Warn("this is a sandbox: whoever reaches it may do everything in it")
	return sandbox.New(ctx, cfg, f.clock)
}
