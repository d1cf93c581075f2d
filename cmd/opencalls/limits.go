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

// limitFlags say how much of the server a client may take. Each is positive.
type limitFlags struct {
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

// check refuses limits under which nobody could be served.
func (f limitFlags) check() error {
	for name, duration := range map[string]time.Duration{
		"read-header-timeout": f.ReadHeaderTimeout, "read-timeout": f.ReadTimeout, "write-timeout": f.WriteTimeout,
		"idle-timeout": f.IdleTimeout, "request-timeout": f.RequestTimeout,
	} {
		if duration <= 0 {
			return usageError{fmt.Errorf("--%s: want a positive duration", name)}
		}
	}
	if f.StatementTimeout < time.Millisecond {
		return usageError{errors.New("--statement-timeout: want at least 1ms")}
	}
	// The time to write begins with the end of the headers. The token is looked up within the request's
	// time, while the body may already arrive; then the work has the request's time again.
	if longest := max(f.ReadTimeout, f.RequestTimeout) + f.RequestTimeout; f.WriteTimeout <= longest {
		return usageError{fmt.Errorf("--write-timeout: want more than %s, --request-timeout and the longer of it and "+
			"--read-timeout, or the answer to a slow request is cut off", longest)}
	}
	sizes := map[string]int64{
		"max-header-bytes": int64(f.MaxHeaderBytes), "max-body-bytes": f.MaxBodyBytes, "database-connections": int64(f.Connections),
	}
	for name, size := range sizes {
		if size < 1 || size > maxLimit {
			return usageError{fmt.Errorf("--%s: want 1 to %d", name, maxLimit)}
		}
	}
	for name, limit := range map[string]float64{"token": f.RateLimitToken, "address": f.RateLimitAddress} {
		if limit != 0 && !(limit >= 0.001 && limit <= maxLimit) { // NaN is refused too
			return usageError{fmt.Errorf("--rate-limit-%s: want 0, or 0.001 to %d", name, maxLimit)}
		}
	}
	for name, burst := range map[string]int{"token": f.RateLimitTokenBurst, "address": f.RateLimitAddressBurst} {
		if burst < 0 || burst > 1_000_000 {
			return usageError{fmt.Errorf("--rate-limit-%s-burst: want 0 to 1000000", name)}
		}
	}
	return nil
}

// rateLimit is a limit whose burst is twice the requests per second unless it is given.
func rateLimit(perSecond float64, burst int) server.RateLimit {
	if burst == 0 {
		burst = max(1, int(2*perSecond))
	}
	return server.RateLimit{PerSecond: perSecond, Burst: burst}
}

// ofStore sets the store's limits.
func (f limitFlags) ofStore(cfg *store.Config) {
	cfg.StatementTimeout, cfg.Connections = f.StatementTimeout, f.Connections
}

// ofServer sets the limits of what is done for a request.
func (f limitFlags) ofServer(cfg *server.Config) {
	cfg.RequestTimeout, cfg.MaxBodyBytes = f.RequestTimeout, f.MaxBodyBytes
	cfg.BodyMemory = f.BodyMemory
	cfg.RateLimitToken = rateLimit(f.RateLimitToken, f.RateLimitTokenBurst)
	cfg.RateLimitAddress = rateLimit(f.RateLimitAddress, f.RateLimitAddressBurst)
}

// httpServer is the handler's HTTP server, with the limits of connections.
func (f limitFlags) httpServer(handler http.Handler, log *slog.Logger) *http.Server {
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
