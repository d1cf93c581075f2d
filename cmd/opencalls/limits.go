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
	WriteTimeout      time.Duration `name:"write-timeout" default:"120s" help:"How long a request may take from the end of its headers to the end of its answer; longer than --request-timeout and the longer of it and --read-timeout together."`
	IdleTimeout       time.Duration `name:"idle-timeout" default:"120s" help:"How long a connection may wait for its next request."`
	RequestTimeout    time.Duration `name:"request-timeout" default:"${request_timeout}" help:"How long the work on a request may take once it has arrived; then it is a 503."`
	StatementTimeout  time.Duration `name:"statement-timeout" default:"5s" help:"How long a statement may take on Postgres, unless the URL's statement_timeout says otherwise."`
	Connections       int           `name:"database-connections" default:"16" help:"How many connections to Postgres there are at most; a quarter of them is for reads alone."`
	MaxHeaderBytes    int           `name:"max-header-bytes" default:"65536" help:"Largest headers of a request with its first line, in bytes."`
	MaxBodyBytes      int64         `name:"max-body-bytes" default:"${max_body_bytes}" help:"Largest JSON or urlencoded body, in bytes; a multipart body may hold an image beside it."`
	BodyMemory        int64         `name:"body-memory" default:"${body_memory}" help:"Memory for the bodies of all requests at once, in bytes, a quarter of it for one user; what finds no room within 10 s is a 503."`

	RateLimitToken        float64 `name:"rate-limit-token" help:"Requests per second that each token may send, in each process; 0 is no limit."`
	RateLimitTokenBurst   int     `name:"rate-limit-token-burst" help:"How many a token may send at once after a pause; 0 is twice the requests per second."`
	RateLimitAddress      float64 `name:"rate-limit-address" help:"Requests per second that each address may send, in each process; IPv6 addresses are grouped by /64; 0 is no limit."`
	RateLimitAddressBurst int     `name:"rate-limit-address-burst" help:"How many an address may send at once after a pause; 0 is twice the requests per second."`
}

// maxLimit bounds sizes that are held in memory, and what is added up.
const maxLimit = 1 << 30

// atLeast says that a flag's value is too small, or nil.
func atLeast(flag string, value, least time.Duration) error {
	if value < least {
		return fmt.Errorf("%s: want at least %s", flag, least)
	}
	return nil
}

// within says that a flag's value is too small or too large, or NaN; or nil.
func within[N int | int64 | float64](flag string, value, least, most N) error {
	if value >= least && value <= most {
		return nil
	}
	return fmt.Errorf("%s: want %v to %v", flag, least, most)
}

// AfterApply refuses limits under which nobody could be served.
func (f LimitFlags) AfterApply() error {
	// The time to write begins with the end of the headers. The token is looked up within the request's
	// time, while the body may already arrive; then the work has the request's time again.
	longest := max(f.ReadTimeout, f.RequestTimeout) + f.RequestTimeout
	if f.WriteTimeout <= longest {
		return fmt.Errorf("--write-timeout: want more than %s, --request-timeout and the longer of it and "+
			"--read-timeout, or the answer to a slow request is cut off", longest)
	}
	return errors.Join(
		atLeast("--read-header-timeout", f.ReadHeaderTimeout, time.Millisecond),
		atLeast("--read-timeout", f.ReadTimeout, time.Millisecond),
		atLeast("--idle-timeout", f.IdleTimeout, time.Millisecond),
		atLeast("--request-timeout", f.RequestTimeout, time.Millisecond),
		atLeast("--statement-timeout", f.StatementTimeout, time.Millisecond),
		within("--max-header-bytes", f.MaxHeaderBytes, 1, maxLimit),
		within("--max-body-bytes", f.MaxBodyBytes, 1, maxLimit),
		within("--database-connections", f.Connections, 1, maxLimit),
		within("--rate-limit-token", f.RateLimitToken, 0, maxLimit),
		within("--rate-limit-address", f.RateLimitAddress, 0, maxLimit),
		within("--rate-limit-token-burst", f.RateLimitTokenBurst, 0, 1_000_000),
		within("--rate-limit-address-burst", f.RateLimitAddressBurst, 0, 1_000_000),
	)
}

// rateLimit is a limit whose burst is twice the requests per second unless it is given.
func rateLimit(perSecond float64, burst int) server.RateLimit {
	if burst == 0 {
		burst = max(1, int(2*perSecond))
	}
	return server.RateLimit{PerSecond: perSecond, Burst: burst}
}

// ofStore sets the store's limits.
func (f LimitFlags) ofStore(cfg *store.Config) {
	cfg.StatementTimeout, cfg.Connections = f.StatementTimeout, f.Connections
}

// ofServer sets the limits of what is done for a request.
func (f LimitFlags) ofServer(cfg *server.Config) {
	cfg.RequestTimeout, cfg.MaxBodyBytes = f.RequestTimeout, f.MaxBodyBytes
	cfg.BodyMemory = f.BodyMemory
	cfg.RateLimitToken = rateLimit(f.RateLimitToken, f.RateLimitTokenBurst)
	cfg.RateLimitAddress = rateLimit(f.RateLimitAddress, f.RateLimitAddressBurst)
}

// httpServer is the handler's HTTP server, with the limits of connections.
func (f LimitFlags) httpServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: f.ReadHeaderTimeout,
		ReadTimeout:       f.ReadTimeout,
		WriteTimeout:      f.WriteTimeout,
		IdleTimeout:       f.IdleTimeout,
		MaxHeaderBytes:    f.MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
