package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
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
