// Package opencallstest runs the server inside a test's process, for the tests of a client:
//
//	server := opencallstest.Start(t, opencallstest.World("world.yaml"))
//	server.Fail("call_managing_organisations_list", http.StatusServiceUnavailable, 1)
//	list, err := server.Client("token-of-alice").CallManagingOrganisationsListWithResponse(t.Context(), nil)
//
// Each server has a database, a clock and a port of its own, so tests may run in parallel. It serves what
// opencalls serve --sandbox does. SQLite needs cgo, and so a C compiler.
package opencallstest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/gen/client"
	"github.com/opencalls/opencalls/sandbox"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store/storetest"
)

// Option says what a server starts with.
type Option func(*Server)

// World loads import files into the database, in this order. Their paths are as the test's process sees
// them: relative ones begin in the directory of the package that is tested.
func World(files ...string) Option {
	return func(s *Server) { s.files = append(s.files, files...) }
}

// At makes the clock stand still at a time before the world is loaded, whose relative times follow it.
// Without it the clock is the machine's.
func At(now time.Time) Option {
	return func(s *Server) { s.SetTime(now) }
}

// Server is a server that runs until its test ends. Its methods fail the test where something goes wrong:
// call them from the test's goroutine.
type Server struct {
	URL string // http://127.0.0.1:PORT

	t     testing.TB
	files []string
	clock sandbox.Clock
	box   *sandbox.Sandbox
}

// Start starts a server, and fails the test where that goes wrong. Without options there is nothing in
// its database but the built-in roles. Its log goes to the test's.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s := &Server{t: t}
	for _, option := range options {
		option(s)
	}
	cfg := server.Config{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}.WithDefaults()
	cfg.Store = storetest.Open(t, storetest.SQLite, s.clock.Use)
	check(t, fixture.Load(t.Context(), cfg.Store, false, s.files, cfg.Images))
	box, err := sandbox.New(t.Context(), cfg, &s.clock)
	check(t, err)
	web := httptest.NewServer(box)
	t.Cleanup(web.Close)
	s.URL, s.box = web.URL, box
	return s
}

// check fails a test for an error.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Client returns a client whose requests have a token.
func (s *Server) Client(token string) *client.ClientWithResponses {
	s.t.Helper()
	sign := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Token "+token)
		return nil
	}
	c, err := client.NewClientWithResponses(s.URL, client.WithRequestEditorFn(sign))
	check(s.t, err)
	return c
}

// Reset goes back to the data and the clock of the start, and removes the faults. Requests under way
// finish first. What was recorded of requests stays.
func (s *Server) Reset() {
	s.t.Helper()
	check(s.t, s.box.Reset(context.Background())) // a test may reset while it ends
}

// SetTime makes the clock stand still at a time from 1970 to 9999.
func (s *Server) SetTime(now time.Time) {
	s.t.Helper()
	check(s.t, s.clock.Set(now, 0))
}

// Advance moves the clock on, or back by a negative duration. It goes on as before.
func (s *Server) Advance(by time.Duration) {
	s.t.Helper()
	check(s.t, s.clock.Advance(by))
}

// Fail has the next requests of an operation, such as call_managing_organisations_list, answered with an
// error that the operation documents: as many as times says, or all if it is 0. They change nothing.
func (s *Server) Fail(operation string, code, times int) {
	s.t.Helper()
	check(s.t, s.box.SetFaults(true, sandbox.Fault{Operation: operation, Code: code, Times: times}))
}

// Requests returns the last 1,000 requests that the server received, the oldest first.
func (s *Server) Requests() []sandbox.Request { return s.box.Requests() }
