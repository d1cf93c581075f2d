package main

import (
	"bytes"
	"log"
	"log/slog"
	"time"

	"golang.org/x/time/rate"
)

// errorLog passes on what the HTTP library says of the server itself. Of requests and connections,
// whose faults are their clients', the access log tells, if anything is to be told.
func errorLog(to *slog.Logger) *log.Logger {
	return log.New(&libraryLog{log: to, accept: rate.Sometimes{Interval: time.Second}}, "", 0)
}

type libraryLog struct {
	log    *slog.Logger
	accept rate.Sometimes // one line a second: the library tries again after 5 ms
}

// Write takes one message.
func (l *libraryLog) Write(message []byte) (int, error) {
	text := bytes.TrimSpace(message)
	switch cause, accept := bytes.CutPrefix(text, []byte("http: Accept error: ")); {
	case accept:
		cause, _, _ = bytes.Cut(cause, []byte("; retrying in"))
		l.accept.Do(func() { l.log.Warn("no connection can be accepted", "error", string(cause)) })
	case bytes.HasPrefix(text, []byte("http: panic serving ")), bytes.HasPrefix(text, []byte("http2: panic serving ")): // past what makes it a 500
		l.log.Error("panic", "error", string(text))
	// All else that begins so is a handler's fault; what HTTP/2 says is of clients.
	case bytes.HasPrefix(text, []byte("http: ")) && !bytes.HasPrefix(text, []byte("http: TLS handshake error ")):
		l.log.Error("a handler's fault", "error", string(text))
	}
	return len(message), nil
}
