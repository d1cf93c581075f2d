package server_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

const (
	publicURL = "https://calls.example.com"
	base      = "/api/call-managing-organisations/"

	// requestID is the id that the server gives every request here.
	requestID = "5eedc0de-0000-4000-8000-000000000000"
)

// app is what server.New builds on a store of its own, behind a real listener.
type app struct {
	store *store.Store
	sql   *sql.DB
	world *world.World
	clock *storetest.Clock
	log   *accessLog

	url     string
	client  *http.Client
	handled chan struct{} // one for each request that the server is done with, its log line too
}

// setup is what a test may change of an app before it starts.
type setup struct {
	server server.Config
	store  []storetest.Option
	web    func(*http.Server)  // the limits of connections; none without it
	plain  bool                // the client does not hold answers against openapi.yaml
	watch  func(*http.Request) // sees each request before the server does
}

// start serves an empty migrated database until the test ends. Its clock stands still and its
// ids count up, so that both engines give the same answers.
func start(t testing.TB, engine string, changes ...func(*setup)) *app {
	t.Helper()
	a := &app{clock: storetest.NewClock(), log: &accessLog{}, handled: make(chan struct{}, 64)}
	var signIns atomic.Int64
	s := setup{server: server.Config{
		Now: a.clock.Now, PublicURL: publicURL,
		Logger:   slog.New(slog.NewJSONHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		NewUUID:  func() uuid.UUID { return uuid.MustParse(requestID) },
		NewToken: func() string { return fmt.Sprint("token-of-sign-in-", signIns.Add(1)) },
	}}
	for _, change := range changes {
		change(&s)
	}
	var tables storetest.SQL
	options := append([]storetest.Option{a.clock.Use, storetest.Sequence, tables.Use}, s.store...)
	a.store = storetest.Open(t, engine, options...)
	a.sql = tables.DB(t)
	a.world = world.New(a.store)
	s.server.Store = a.store
	handler, err := server.New(s.server)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			select {
			case a.handled <- struct{}{}:
			default: // nobody waits after answers that broke the contract
			}
		}()
		if s.watch != nil {
			s.watch(r)
		}
		handler.ServeHTTP(w, r)
	}))
	if s.web != nil {
		s.web(listener.Config)
	}
	listener.Start()
	t.Cleanup(listener.Close)
	a.url = listener.URL
	a.client = world.NewClient(a.url).HTTP
	t.Cleanup(a.client.CloseIdleConnections)
	if !s.plain {
		a.client.Transport = contract{a.client.Transport}
	}
	return a
}

type (
	request = world.Request
	body    = world.Body
	answer  = world.Answer
	part    = world.Part
)

var (
	jsonBody = world.JSON
	formBody = world.Form
	text     = world.Text
	file     = world.File
	parts    = world.Multipart
)

func rawBody(mediaType, content string) body { return body{MediaType: mediaType, Content: content} }

// clockHook is what happens when the server or the store looks at the clock, once it is set.
type clockHook struct{ atomic.Pointer[func()] }

func (h *clockHook) use(s *setup) {
	look := func() time.Time {
		if happens := h.Load(); happens != nil {
			(*happens)()
		}
		return now
	}
	s.server.Now = look
	s.store = append(s.store, func(cfg *store.Config) { cfg.Now = look })
}

// send sends the request, waits until the server is done with it, and fails the test where the
// answer does not match openapi.yaml.
func (a *app) send(t testing.TB, r request) answer {
	t.Helper()
	got, err := a.try(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.Target, err)
	}
	return got
}

// try is send for other goroutines than the test's.
func (a *app) try(r request) (answer, error) {
	got, err := (&world.Client{URL: a.url, HTTP: a.client}).Send(r)
	if err == nil {
		<-a.handled
	}
	return got, err
}

// accessLog holds what the server logged since it was last read.
type accessLog struct {
	mu      sync.Mutex
	content bytes.Buffer
}

func (l *accessLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.content.Write(line)
}

// take returns the lines and forgets them.
func (l *accessLog) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.content.Reset()
	return l.content.String()
}

// logLine is one line of the log.
type logLine struct {
	Level     string `json:"level"`
	Message   string `json:"msg"`
	RequestID string `json:"request_id"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Status    int    `json:"status"`
	Bytes     int64  `json:"bytes"`
	User      string `json:"user"`
	Error     string `json:"error"`
	Violation string `json:"violation"`

	text string // the line itself
}

// one fails the test unless exactly one line was logged since the last look, and returns it.
func (l *accessLog) one(t testing.TB) logLine {
	t.Helper()
	text := l.take()
	if strings.Count(text, "\n") != 1 {
		t.Fatalf("the log does not hold one line:\n%s", text)
	}
	line := logLine{text: text}
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		t.Fatal(err)
	}
	return line
}

// checkAccessLine is what holds for the log after any request that did not break the server:
// one line that says what the answer's status was and holds no secret.
func (a *app) checkAccessLine(t testing.TB, r request, got answer) {
	t.Helper()
	line := a.log.one(t)
	if r.Token != "" && strings.Contains(line.text, r.Token) {
		t.Errorf("the log holds the token:\n%s", line.text)
	}
	target, _ := url.Parse(r.Target)
	path := strings.ToValidUTF8(target.Path, "\ufffd")
	level := "INFO"
	if path == "/healthz" || path == "/readyz" {
		level = "DEBUG"
	}
	want := logLine{
		Level: level, Message: "request", RequestID: got.Header.Get("X-Request-ID"),
		Method: r.Method, Path: path, Status: got.Status, Bytes: int64(len(got.Body)), User: line.User, text: line.text,
	}
	if r.Method == http.MethodHead && plainRoutes.MatchString(target.Path) {
		want.Bytes = line.Bytes // what a GET has
	}
	if line != want {
		t.Errorf("the log says %+v, want %+v", line, want)
	}
}

// ids makes the rows that requests write 11111111-0000-7000-8000-000000000001 and so on,
// however many the test's world took before them.
type ids struct {
	serving bool // the world is complete
	last    atomic.Uint64
}

func (i *ids) use(cfg *store.Config) {
	cfg.NewUUID = func() uuid.UUID {
		prefix := "22222222"
		if i.serving {
			prefix = "11111111"
		}
		return uuid.MustParse(fmt.Sprintf("%s-0000-7000-8000-%012x", prefix, i.last.Add(1)))
	}
}

// serve begins the ids of requests, anew.
func (i *ids) serve() { i.serving = true; i.last.Store(0) }
