package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/opencalls/opencalls/sandbox"
	"github.com/opencalls/opencalls/server"
)

// SandboxFlags make the server one for the tests of clients.
type SandboxFlags struct {
	Sandbox  bool      `help:"Serve /sandbox/ too, by which tests of clients reset the data, set the clock and have requests fail; on sqlite::memory: unless --database-url says otherwise."`
	Start    time.Time `name:"sandbox-clock" placeholder:"TIME" help:"Time at which the sandbox's clock stands still, such as 2027-01-31T00:00:00Z; the machine's clock unless given."`
	Anywhere bool      `name:"sandbox-anywhere" help:"Let --listen be more than this machine: whoever reaches a sandbox may do everything in it."`
}

// namesDatabase says whether the command line or the environment has a --database-url.
func namesDatabase(trace *kong.Context) bool {
	_, set := os.LookupEnv("OPENCALLS_DATABASE_URL")
	return set || slices.ContainsFunc(trace.Path, func(p *kong.Path) bool {
		return p.Flag != nil && p.Flag.Name == "database-url"
	})
}

// check refuses what a sandbox can't do, or must not.
func (f SandboxFlags) check(host, databaseURL string) error {
	address, _ := netip.ParseAddr(host)
	switch {
	case !f.Sandbox && !f.Start.IsZero():
		return errors.New("--sandbox-clock: needs --sandbox")
	case !f.Sandbox && f.Anywhere:
		return errors.New("--sandbox-anywhere: needs --sandbox")
	case f.Sandbox && !strings.HasPrefix(databaseURL, "sqlite:"):
		return errors.New("--sandbox: works on SQLite alone, not on Postgres")
	case f.Sandbox && !f.Anywhere && host != "localhost" && !address.Unmap().IsLoopback():
		return fmt.Errorf("--listen: %q is not this machine alone, and whoever reaches a sandbox may do everything in it; --sandbox-anywhere allows it", host)
	}
	_, err := f.clock()
	return err
}

// clock is the sandbox's, as it is before the import.
func (f SandboxFlags) clock() (*sandbox.Clock, error) {
	clock := &sandbox.Clock{}
	if f.Start.IsZero() {
		return clock, nil
	}
	if err := clock.Set(f.Start, 0); err != nil {
		return nil, fmt.Errorf("--sandbox-clock: %w", err)
	}
	return clock, nil
}

// handler is the server.
func (f SandboxFlags) handler(ctx context.Context, cfg server.Config, clock *sandbox.Clock) (http.Handler, error) {
	if !f.Sandbox {
		return server.New(cfg)
	}
	cfg.Logger.Warn("this is a sandbox: whoever reaches it may do everything in it")
	return sandbox.New(ctx, cfg, clock)
}
