package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/sandbox"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
)

// ImageFlags are the limits of images, uploaded or imported.
type ImageFlags struct {
	MaxBytes  int64 `name:"image-max-bytes" default:"${image_max_bytes}" help:"Largest image, in bytes."`
	MaxPixels int64 `name:"image-max-pixels" default:"${image_max_pixels}" help:"Largest image, in pixels."`
}

func (f ImageFlags) limits() images.Limits {
	return images.Limits{MaxBytes: f.MaxBytes, MaxPixels: f.MaxPixels}
}

// AfterApply refuses limits that no image keeps, or that would take too much memory.
func (f ImageFlags) AfterApply() error {
	return errors.Join(
		within("--image-max-bytes", f.MaxBytes, 1, maxLimit), within("--image-max-pixels", f.MaxPixels, 1, maxLimit),
	)
}

// SandboxFlags make the server one for the tests of clients.
type SandboxFlags struct {
	Sandbox  bool      `help:"Serve /sandbox/ too, by which tests of clients reset the data, set the clock and have requests fail; on sqlite::memory: unless --database-url is given."`
	Start    time.Time `name:"sandbox-clock" placeholder:"TIME" help:"Time at which the sandbox's clock stands still, such as 2027-01-31T00:00:00Z; the machine's clock unless given."`
	Anywhere bool      `name:"sandbox-anywhere" help:"Let --listen be more than this machine: whoever reaches a sandbox may do everything in it."`

	clock *sandbox.Clock
}

// handler is the server.
func (f SandboxFlags) handler(ctx context.Context, cfg server.Config) (http.Handler, error) {
	if !f.Sandbox {
		return server.New(cfg)
	}
	cfg.Logger.Warn("this is a sandbox: whoever reaches it may do everything in it")
	return sandbox.New(ctx, cfg, f.clock)
}

// check takes the clock, and refuses what a sandbox can't do, or must not.
func (f *SandboxFlags) check(host, databaseURL string) error {
	address, _ := netip.ParseAddr(host)
	f.clock = &sandbox.Clock{}
	switch {
	case !f.Sandbox && (f.Anywhere || !f.Start.IsZero()):
		return errors.New("--sandbox-clock and --sandbox-anywhere: need --sandbox")
	case !f.Sandbox:
		return nil
	case !strings.HasPrefix(databaseURL, "sqlite:"):
		return errors.New("--sandbox: works on SQLite alone, not on Postgres")
	case !f.Anywhere && host != "localhost" && !address.Unmap().IsLoopback():
		return fmt.Errorf("--listen: whoever reaches a sandbox may do everything in it, and %q is more than this machine; --sandbox-anywhere allows it", host)
	case !f.Start.IsZero() && f.clock.Set(f.Start, 0) != nil:
		return errors.New("--sandbox-clock: want a time from 1970 to 9999")
	}
	return nil
}

type serveCommand struct {
	DatabaseFlags
	ImageFlags
	LimitFlags
	NetworkFlags
	SandboxFlags
	LogFlags
	MetricsFlags
	AuditFlags
	Listen            string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on; port 0 takes a free one."`
	PublicURL         string        `name:"public-url" placeholder:"URL" help:"Scheme and host of the URLs in answers, such as https://calls.example.com; the request's own unless given."`
	Import            []string      `type:"existingfile" sep:"none" placeholder:"FILE" help:"Import file to load before the first request; repeatable."`
	Demo              bool          `help:"Fill an empty database with demo data."`
	ValidateResponses string        `name:"validate-responses" enum:"off,log,fail" default:"off" help:"Check answers against openapi.yaml: off, log, or fail, which makes a violation a 500."`
	AnonymousRead     bool          `name:"anonymous-read" help:"Let list and retrieve be read without a token."`
	WaldurFrontEnd    bool          `name:"waldur-front-end" help:"Answer what Waldur's own front end asks for beside the API, as if there were none of it: admin-announcements, customer-credits, identity-providers, marketplace-categories, marketplace-category-groups, marketplace-checklists, marketplace-global-categories, marketplace-orders, marketplace-project-update-requests, organization-groups and /health-check/. Names in field that are not known are ignored."`
	NoMigrate         bool          `name:"no-migrate" help:"Leave the database's schema as it is."`
	DrainDelay        time.Duration `name:"drain-delay" default:"0s" help:"How long to go on serving after SIGTERM while /readyz is 503, so that a load balancer sees it."`
	UntilStdinEnds    bool          `name:"until-stdin-ends" help:"Stop when standard input ends: through a pipe, the server ends with the process that started it."`
	ShutdownTimeout   time.Duration `name:"shutdown-timeout" default:"30s" help:"How long requests may take to finish after that."`
}

// Garbage is collected seldom while little memory is in use, and in time while there is much.
const (
	gcPercent  = 400      // Go's GOGC: what may be allocated until then, in per cent of what is in use
	restMemory = 64 << 20 // of Go's GOMEMLIMIT: what there is besides bodies, in bytes
)

// pipe is an output. Where nobody reads it any more, the server stops as on a signal.
type pipe struct {
	io.Writer
	stop context.CancelCauseFunc
}

// Write stops the server where nobody reads the output. Its error is that of the output.
func (p pipe) Write(text []byte) (int, error) {
	n, err := p.Writer.Write(text)
	if errors.Is(err, syscall.EPIPE) {
		p.stop(err)
	}
	return n, err
}

// Run serves until SIGTERM, SIGINT or SIGHUP, finishes what is under way and returns nil. A second signal,
// a second later or more, ends the process at once.
func (c serveCommand) Run(env environment) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(c.BodyMemory + restMemory)
	}
	signals := []os.Signal{syscall.SIGTERM, os.Interrupt}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(env.ctx, signals...)
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) }) // timeout(1) sends a signal twice at once
	defer stop()
	ctx, unheard := context.WithCancelCause(ctx)
	signal.Ignore(syscall.SIGPIPE)
	env = environment{ctx: ctx, stdout: pipe{env.stdout, unheard}, stderr: pipe{env.stderr, unheard}}
	log := c.logger(env.stderr)
	if c.UntilStdinEnds {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			unheard(errors.New("standard input ended"))
		}()
	}
	return c.run(env, log)
}

// run serves until the context ends.
func (c serveCommand) run(env environment, log *slog.Logger) error {
	ctx := env.ctx
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	registry := newRegistry()
	stopMetrics, err := c.serveMetrics(ctx, registry, log)
	if err != nil {
		return err
	}
	defer stopMetrics()
	newFile := c.newFile()
	traces, stopTraces, err := startTraces(ctx, log)
	if err != nil {
		return usageError{err}
	}
	defer stopTraces()
	s, err := c.openFilled(ctx, log, traces, registry)
	if reason := context.Cause(ctx); err != nil && reason != nil {
		return fmt.Errorf("stopped before it served: %w", reason) // err is what that broke off
	}
	if err != nil {
		return err
	}
	defer s.Close()
	var draining atomic.Bool
	serverConfig := server.Config{
		Draining: draining.Load, Store: s, Logger: log,
		PublicURL: strings.TrimSuffix(c.PublicURL, "/"), AnonymousRead: c.AnonymousRead,
		ValidateResponses: c.ValidateResponses, Images: c.limits(), Traces: traces, Metrics: registry,
		Version: version, FrontEnd: c.WaldurFrontEnd,
	}
	defer c.startRemoving(ctx, s, log)()
	c.LimitFlags.ofServer(&serverConfig)
	c.NetworkFlags.ofServer(&serverConfig)
	handler, err := c.handler(ctx, serverConfig)
	if err != nil {
		return err
	}
	log.Info("serving", "version", version, "address", c.url(listener), "database", withoutSecrets(c.DatabaseURL))
	c.welcome(env.stdout, c.url(listener), newFile)
	return c.serveUntil(ctx, listener, c.httpServer(handler, log), log, &draining)
}

// welcome prints what is to be known at the start.
func (c serveCommand) welcome(w io.Writer, url, newFile string) {
	fmt.Fprintln(w, "listening on "+url)
	if newFile != "" {
		fmt.Fprintf(w, "made the database %s\n", newFile)
	}
	switch {
	case newFile != "" && !c.Demo && len(c.Import) == 0:
		fmt.Fprintf(w, `Nobody can use it yet. Make a user and a token in another terminal:
  opencalls user create admin --staff --database-url %q
  opencalls token create admin --database-url %[1]q
`, c.DatabaseURL)
	case c.Demo:
		demoWelcome(w, url)
	}
}

// openFilled opens the database, brings its schema up to date and loads what is to be loaded.
func (c serveCommand) openFilled(
	ctx context.Context, log *slog.Logger, traces trace.TracerProvider, registry *prometheus.Registry,
) (*store.Store, error) {
	cfg := store.Config{URL: c.DatabaseURL, Logger: log, Metrics: registry}
	if traces != nil {
		cfg.WrapConnector = func(connector driver.Connector) driver.Connector { return tracedConnector(connector, traces) }
	}
	c.ofStore(&cfg)
	if c.Sandbox {
		c.clock.Use(&cfg)
	}
	s, err := store.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if c.NoMigrate {
		err = s.CheckMigrated(ctx) // or it would be ready and answer nothing
	} else {
		err = migrate(ctx, s, log)
	}
	if err == nil {
		err = c.load(ctx, s, log)
	}
	if err != nil {
		_ = s.Close()
	}
	return s, err
}

func migrate(ctx context.Context, s *store.Store, log *slog.Logger) error {
	steps, err := s.Migrate(ctx)
	if steps > 0 {
		log.Info("schema migrated", "steps", steps)
	}
	return err
}

// load loads the demo data and the import files.
func (c serveCommand) load(ctx context.Context, s *store.Store, log *slog.Logger) error {
	if !c.Demo && len(c.Import) == 0 {
		return nil
	}
	start := time.Now()
	err := fixture.Load(ctx, s, c.Demo, c.Import, c.limits())
	if err == nil {
		log.Info("imported", "demo", c.Demo, "files", c.Import, "duration_ms", time.Since(start).Milliseconds())
	}
	return err
}

// AfterApply refuses a wrong configuration before anything is opened.
func (c *serveCommand) AfterApply(trace *kong.Context) error {
	least := 4 * (c.MaxBodyBytes + c.MaxBytes)
	if max(c.MaxBodyBytes, c.MaxBytes) <= maxLimit && c.BodyMemory < least { // their own limits come first
		return fmt.Errorf("--body-memory: want at least %d, four times --max-body-bytes and --image-max-bytes", least)
	}
	host, err := checkAddress("--listen", c.Listen)
	if err != nil {
		return err
	}
	if c.PublicURL != "" && !isOrigin(strings.ToLower(strings.TrimSuffix(c.PublicURL, "/"))) {
		return errors.New("--public-url: want a scheme and a host alone, such as https://calls.example.com")
	}
	if c.UntilStdinEnds && slices.Contains(c.Import, "-") {
		return errors.New("--until-stdin-ends: standard input is the import file")
	}
	if c.Sandbox && c.Keep > 0 {
		return errors.New("--audit-keep: a sandbox's database is changed by its requests alone")
	}
	_, given := os.LookupEnv("OPENCALLS_DATABASE_URL")
	for _, part := range trace.Path {
		given = given || part.Flag != nil && part.Flag.Name == "database-url"
	}
	if c.Sandbox && !given {
		c.DatabaseURL = "sqlite::memory:"
	}
	return errors.Join(
		c.check(host, c.DatabaseURL),
		within("--drain-delay", c.DrainDelay, 0, day), within("--shutdown-timeout", c.ShutdownTimeout, 0, day),
	)
}

// serveUntil serves until the context ends, goes on for the drain delay while the server says that
// it is draining, then stops accepting and lets requests under way finish.
func (c serveCommand) serveUntil(
	ctx context.Context, listener net.Listener, web *http.Server, log *slog.Logger, draining *atomic.Bool,
) error {
	failed := make(chan error, 1)
	go func() { failed <- c.serve(web, listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping", "reason", context.Cause(ctx).Error())
	draining.Store(true)
	log.Info("draining", "delay", c.DrainDelay.String())
	select {
	case err := <-failed:
		return err
	case <-time.After(c.DrainDelay):
	}
	// The requests' own context is not this one, so they are not cancelled.
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.ShutdownTimeout)
	defer cancel()
	if err := web.Shutdown(finish); err != nil {
		_ = web.Close()
		return fmt.Errorf("requests under way were cut off after %s", c.ShutdownTimeout)
	}
	log.Info("stopped")
	return nil
}
