package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
)

// What is cancelled is the client's doing only where the client's connection has ended.
func TestCancelledWithoutTheClient(t *testing.T) {
	cfg := Config{Logger: slog.New(slog.DiscardHandler)}.withDefaults()
	e := echo.New()
	e.HTTPErrorHandler = writeError
	e.Use(identify(cfg), logRequests(cfg))
	e.GET("/", func(echo.Context) error { return context.Canceled }, limitTime(cfg))
	left, leave := context.WithCancel(t.Context())
	leave()
	for ctx, want := range map[context.Context]int{t.Context(): http.StatusInternalServerError, left: statusClientGone} {
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		if answer.Code != want {
			t.Errorf("status %d, want %d", answer.Code, want)
		}
	}
}

// The path of a file that can't be read is in no answer.
func TestMultipartFileThatCannotBeRead(t *testing.T) {
	file := &fs.PathError{Op: "read", Path: "/tmp/opencalls-body-1", Err: io.ErrUnexpectedEOF}
	var problem *handlers.Problem
	for _, err := range []error{file, fmt.Errorf("multipart: NextPart: %w", file)} {
		if got := multipartErr(err); errors.As(got, &problem) || !errors.Is(got, err) {
			t.Errorf("%v becomes %v", err, got)
		}
	}
	if got := multipartErr(io.ErrUnexpectedEOF); !errors.As(got, &problem) || problem.Status != http.StatusBadRequest {
		t.Errorf("a body that is cut off becomes %v", got)
	}
}

// A small body is looked through where it is.
func TestSmallBodiesAreNotCopied(t *testing.T) {
	small := &receivedBody{start: append(bytes.Repeat([]byte("-"), 1000), "end"...), size: 1003}
	for text, want := range map[string]bool{"-end": true, "endless": false} {
		if got, err := small.contains(text); got != want || err != nil {
			t.Errorf("it holds %q: %v %v", text, got, err)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = small.contains(text) }); n > 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

// One question to the database serves all who ask meanwhile and for a second after; nobody's
// leaving ends it for the others, and nobody waits for it longer than for anything else.
func TestReadiness(t *testing.T) {
	var asked int
	answer, wait := error(nil), make(chan struct{})
	now := time.Now()
	r := newReadiness(time.Minute, func() time.Time { return now }, func(ctx context.Context) error {
		asked++
		<-wait
		return errors.Join(answer, ctx.Err())
	})
	first, leave := context.WithCancel(t.Context())
	var group sync.WaitGroup
	began := make(chan struct{})
	group.Go(func() {
		close(began)
		if err := r.check(first); err != nil {
			t.Error(err)
		}
	})
	<-began
	for len(r.turn) == 0 {
		time.Sleep(time.Millisecond)
	}
	leave()
	if err := r.check(first); !errors.Is(err, context.Canceled) {
		t.Errorf("one who has left: %v", err)
	}
	for range 10 {
		group.Go(func() {
			if err := r.check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	close(wait)
	group.Wait()
	if answer = errors.New("gone"); r.check(t.Context()) != nil || asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	now = now.Add(readinessAge + 1)
	if err := r.check(t.Context()); !errors.Is(err, answer) || asked != 2 {
		t.Errorf("later: %v, asked %d times", err, asked)
	}
}
