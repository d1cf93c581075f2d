package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
)

// LimitFlags say how much of the server a client may take. Each is positive.
type LimitFlags struct {
	ReadHeaderTimeout time.Duration `name:"read-header-timeout" default:"10s" help:"How long the headers of a request may take to arrive."`
	ReadTimeout       time.Duration `name:"read-timeout" default:"60s" help:"How long a whole request with its body may take to arrive."`
	IdleTimeout       time.Duration `name:"idle-timeout" default:"120s" help:"How long a connection may wait for its next request."`
	RequestTimeout    time.Duration `name:"request-timeout" default:"${request_timeout}" help:"How long the work on a request may take once it has arrived; then it is a 503."`
	TokenLifetime     time.Duration `name:"token-lifetime" default:"${token_lifetime}" help:"How long after its last use the token of a sign-in by password ends."`
	StatementTimeout  time.Duration `name:"statement-timeout" default:"5s" help:"How long a statement may take on Postgres, unless the URL's statement_timeout says otherwise."`
	Connections       int           `name:"database-connections" default:"16" help:"How many connections to Postgres there are at most; a quarter of them is for reads alone."`
	MaxHeaderBytes    int           `name:"max-header-bytes" default:"65536" help:"Largest headers of a request with its first line, in bytes."`
	MaxBodyBytes      int64         `name:"max-body-bytes" default:"${max_body_bytes}" help:"Largest JSON or urlencoded body, in bytes; a multipart body may hold an image beside it."`
	BodyMemory        int64         `name:"body-memory" default:"${body_memory}" help:"Memory for the bodies of all requests at once, in bytes, a quarter of it for one user; what finds no room within 10 s is a 503."`

	RateLimitToken   float64 `name:"rate-limit-token" help:"Requests per second that each token may send, in each process; 0 is no limit. After a pause twice as many may come at once."`
	RateLimitAddress float64 `name:"rate-limit-address" help:"The same for each address; IPv6 addresses are grouped by /64."`
}

// maxLimit bounds sizes that are held in memory, and what is added up.
const maxLimit = 1 << 30

// day bounds times, which are added up too.
const day = 24 * time.Hour

// within says that a flag's value is too small or too large, or NaN; or nil.
func within[N int | int64 | float64 | time.Duration](flag string, value, least, most N) error {
	if value >= least && value <= most {
		return nil
	}
	return fmt.Errorf("%s: want %v to %v", flag, least, most)
}

// AfterApply refuses limits under which nobody could be served.
func (f LimitFlags) AfterApply() error {
	return errors.Join(
		within("--read-header-timeout", f.ReadHeaderTimeout, time.Millisecond, day),
		within("--read-timeout", f.ReadTimeout, time.Millisecond, day),
		within("--idle-timeout", f.IdleTimeout, time.Millisecond, day),
		within("--request-timeout", f.RequestTimeout, time.Millisecond, day),
		// The end moves at most once a minute, so a minute would end under whoever works.
		within("--token-lifetime", f.TokenLifetime, 2*time.Minute, 366*day),
		within("--statement-timeout", f.StatementTimeout, time.Millisecond, day),
		within("--max-header-bytes", f.MaxHeaderBytes, 1, maxLimit),
		within("--max-body-bytes", f.MaxBodyBytes, 1, maxLimit),
		within("--database-connections", f.Connections, 1, maxLimit),
		within("--rate-limit-token", f.RateLimitToken, 0, maxLimit),
		within("--rate-limit-address", f.RateLimitAddress, 0, maxLimit),
	)
}

// rateLimit is a limit whose burst is twice the requests per second.
func rateLimit(perSecond float64) server.RateLimit {
	return server.RateLimit{PerSecond: perSecond, Burst: max(1, int(2*perSecond))}
}

// ofStore sets the store's limits.
func (f LimitFlags) ofStore(cfg *store.Config) {
	cfg.StatementTimeout, cfg.Connections = f.StatementTimeout, f.Connections
}

// ofServer sets the limits of what is done for a request.
func (f LimitFlags) ofServer(cfg *server.Config) {
	cfg.TokenLifetime = f.TokenLifetime
	cfg.RequestTimeout, cfg.MaxBodyBytes = f.RequestTimeout, f.MaxBodyBytes
	cfg.BodyMemory = f.BodyMemory
	cfg.RateLimitToken = rateLimit(f.RateLimitToken)
	cfg.RateLimitAddress = rateLimit(f.RateLimitAddress)
}

// httpServer is the handler's HTTP server, with the limits of connections.
func (f LimitFlags) httpServer(handler http.Handler, log *slog.Logger) *http.Server {
	// The time to write begins with the end of the headers. The token is looked up within the request's
	// time, while the body may already arrive. Then the work has the request's time, and so has the answer.
	writeTimeout := max(f.ReadTimeout, f.RequestTimeout) + 2*f.RequestTimeout
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: f.ReadHeaderTimeout,
		ReadTimeout:       f.ReadTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       f.IdleTimeout,
		MaxHeaderBytes:    f.MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
