package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/opencalls/opencalls/bench/baseline"
)

// serveBaseline serves the database at a URL until SIGTERM.
func serveBaseline(ctx context.Context, url string) error {
	d, err := baseline.Open(url, nil)
	if err != nil {
		return err
	}
	defer d.Close()
	return serve(ctx, baseline.Handler(d))
}

// memory is what the server that answers from memory is told.
type memory struct {
	Answers    []answer // the second is that to the second request of a pair
	Statements *loop    // run before each answer; none if nil
}

// serveFromMemory serves the answers that it reads from its standard input, whatever is asked for:
// what net/http costs without any work behind it, or with no more than the statements.
func serveFromMemory(ctx context.Context) error {
	var m memory
	if err := json.NewDecoder(os.Stdin).Decode(&m); err != nil {
		return err
	}
	work := func() error { return nil }
	if m.Statements != nil {
		d, err := baseline.Open(m.Statements.URL, nil)
		if err != nil {
			return err
		}
		defer d.Close()
		var n atomic.Int64
		work = func() error {
			i := int(n.Add(1))
			return m.Statements.once(d, i%clients, i/clients)
		}
	}
	headers := make([]http.Header, len(m.Answers))
	for i, a := range m.Answers {
		headers[i] = http.Header{}
		for _, line := range a.Headers {
			name, value, _ := strings.Cut(line, ": ")
			if name != "Content-Length" && name != "Transfer-Encoding" { // net/http's own
				headers[i].Set(name, value)
			}
		}
	}
	return serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := 0
		if strings.HasSuffix(r.URL.Path, "/delete_user/") {
			i = len(m.Answers) - 1
		}
		if r.ContentLength > 0 {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		if err := work(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		maps.Copy(w.Header(), headers[i])
		w.WriteHeader(m.Answers[i].Status)
		_, _ = io.WriteString(w, m.Answers[i].Body)
	}))
}

// The settings of both HTTP servers, which are the defaults of opencalls serve.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 60 * time.Second
	writeTimeout      = 120 * time.Second
	idleTimeout       = 120 * time.Second
	maxHeaderBytes    = 65536
)

// limitFlags give our server these settings, and rate limits that count and never refuse.
func limitFlags() []string {
	return []string{
		"--read-header-timeout", readHeaderTimeout.String(), "--read-timeout", readTimeout.String(), "--write-timeout", writeTimeout.String(),
		"--idle-timeout", idleTimeout.String(), "--max-header-bytes", strconv.Itoa(maxHeaderBytes), "--request-timeout", baseline.TimeLimit.String(),
		"--rate-limit-token", "1000000", "--rate-limit-address", "1000000",
	}
}

// serve serves until SIGTERM.
func serve(ctx context.Context, handler http.Handler) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	fmt.Println("listening on http://" + listener.Addr().String())
	go func() { _ = server.Serve(listener) }()
	<-ctx.Done()
	return server.Close()
}
