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

// One question to the database serves all who ask meanwhile and for a second after. It does not end
// with the client that asked first.
func TestReadiness(t *testing.T) {
	asked, answer, now := 0, error(nil), time.Now()
	r := &readiness{now: func() time.Time { return now }, timeout: time.Minute, ping: func(ctx context.Context) error {
		asked++
		time.Sleep(10 * time.Millisecond)
		return errors.Join(answer, ctx.Err())
	}}
	gone, leave := context.WithCancel(t.Context())
	leave()
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if err := r.check(gone); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if answer = errors.New("gone"); r.check(t.Context()) != nil || asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	now = now.Add(readinessAge + 1)
	if err := r.check(t.Context()); !errors.Is(err, answer) || asked != 2 {
		t.Errorf("later: %v, asked %d times", err, asked)
	}
}
