// Package sandbox is the server for the tests of clients: its state can be put back, its clock can be set,
// it fails on demand, and it shows what it received. sandbox.yaml describes what it serves for that.
package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"go.yaml.in/yaml/v3"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/gen"
	api "github.com/opencalls/opencalls/gen/sandbox"
	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
)

// Sandbox is a server of the API with the operations of sandbox.yaml. Its methods may be called from
// several goroutines.
type Sandbox struct {
	http.Handler
	cfg        server.Config
	clock      *Clock
	operations map[string]*openapi3.Operation // of openapi.yaml, by id and by method and route

	state     sync.RWMutex // held for reading while a request is under way
	snapshots map[string]snapshot

	mu       sync.Mutex
	faults   []*fault
	requests []Request
}

// snapshot is a state to go back to.
type snapshot struct {
	data  []byte
	clock setting
}

const (
	start        = ""       // the name of the state of New, which no other has
	maxSnapshots = 100      // beside that
	maxBody      = 64 << 20 // in bytes
)

// snapshotName is what a snapshot may be called.
var snapshotName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// New returns a server on a SQLite store whose clock is the one given. Reset goes back to the data and the
// clock as they are now.
func New(ctx context.Context, cfg server.Config, clock *Clock) (*Sandbox, error) {
	s := &Sandbox{
		cfg: cfg.WithDefaults(), clock: clock, operations: map[string]*openapi3.Operation{},
		snapshots: map[string]snapshot{}, requests: []Request{},
	}
	register := func(e *echo.Echo) { api.RegisterHandlers(e, operations{s}) }
	s.cfg.Extension = &server.Extension{Schema: mergedSchema, Route: register, Around: s.around}
	var err error
	if s.Handler, err = server.New(s.cfg); err != nil {
		return nil, err
	}
	spec, _ := server.Spec()                        // New has read it
	route := strings.NewReplacer("{", ":", "}", "") // as the router writes a path
	for path, item := range spec.Paths.Map() {
		for method, op := range item.Operations() {
			s.operations[op.OperationID] = op
			s.operations[method+" "+route.Replace(path)] = op
		}
	}
	return s, s.save(ctx, start)
}

// Reset goes back to the data and the clock of New, and removes all faults. Requests under way finish
// first. Snapshots and recorded requests stay.
func (s *Sandbox) Reset(ctx context.Context) error { return s.restore(ctx, start) }

// save keeps the state under a name.
func (s *Sandbox) save(ctx context.Context, name string) error {
	s.state.Lock()
	defer s.state.Unlock()
	if _, known := s.snapshots[name]; !known && len(s.snapshots) > maxSnapshots {
		return handlers.Refuse(http.StatusBadRequest, "There are 100 snapshots already.")
	}
	data, err := s.cfg.Store.Save(ctx)
	if err == nil {
		s.snapshots[name] = snapshot{data, s.clock.get()}
	}
	return err
}

func (s *Sandbox) restore(ctx context.Context, name string) error {
	s.state.Lock()
	defer s.state.Unlock()
	saved, known := s.snapshots[name]
	if !known {
		return store.ErrNotFound
	}
	if err := s.cfg.Store.Restore(ctx, saved.data); err != nil {
		return err
	}
	s.clock.put(saved.clock)
	return s.SetFaults(false)
}

// change does what a JSON body asks for, whatever its Content-Type. What is wrong with the wish is a 400.
func change[T any](c echo.Context, apply func(T) error) error {
	content, err := server.ReadBody(c, maxBody)
	if err != nil {
		return err
	}
	var wish *T // nil for null
	var wrong *json.UnmarshalTypeError
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&wish)
	switch {
	case errors.As(err, &wrong):
		err = fmt.Errorf("%s: wrong type: %s", cmp.Or(wrong.Field, "body"), wrong.Value)
	case err != nil:
		err = fmt.Errorf("JSON parse error - %s", strings.TrimPrefix(err.Error(), "json: "))
	case wish == nil:
		err = errors.New("body: wrong type: null")
	default:
		err = apply(*wish)
	}
	if err != nil {
		return handlers.Refuse(http.StatusBadRequest, err.Error())
	}
	return nil
}

// Clock is a clock that can be set. Its zero value is the machine's clock. Its methods may be called from
// several goroutines.
type Clock struct{ setting atomic.Pointer[setting] }

// setting is a time and how fast it passes.
type setting struct {
	now   time.Time
	speed float64   // 1 is as fast as time
	since time.Time // when it was made, by the machine's clock; zero where that is the clock
}

var latest = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)

// Use makes it a store's clock. It also has the store not wait for the disk.
func (c *Clock) Use(cfg *store.Config) { cfg.Now, cfg.Volatile = c.Now, true }

// Now is the time.
func (c *Clock) Now() time.Time { return c.get().now }

// get returns the setting with which put brings the clock back to where it is.
func (c *Clock) get() setting {
	made := c.setting.Load()
	if made == nil || made.since.IsZero() {
		return setting{now: time.Now(), speed: 1}
	}
	now := *made
	now.now = now.now.Add(time.Duration(float64(time.Since(now.since)) * now.speed))
	if now.now.After(latest) {
		now.now = latest
	}
	return now
}

func (c *Clock) put(s setting) {
	if !s.since.IsZero() {
		s.since = time.Now()
	}
	c.setting.Store(&s)
}

// Set moves the clock to a time from 1970 to 9999. From then on it is speed times as fast as time: at 0
// it stands still, and 1,000 is the most.
func (c *Clock) Set(now time.Time, speed float64) error {
	switch {
	case now.Before(time.Unix(0, 0)) || now.After(latest):
		return errors.New("want a time from 1970 to 9999")
	case speed < 0 || speed > 1000:
		return errors.New("want a speed from 0 to 1000")
	}
	c.put(setting{now, speed, time.Now()})
	return nil
}

// Advance moves the clock on, or back by a negative duration. Its speed stays.
func (c *Clock) Advance(by time.Duration) error {
	at := c.get()
	return c.Set(at.now.Add(by), at.speed)
}

// done answers that something is done, unless an error came of it.
func done(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// operations are those of sandbox.yaml.
type operations struct{ *Sandbox }

func (o operations) SandboxReset(c echo.Context) error {
	return done(c, o.Reset(c.Request().Context()))
}

func (o operations) SandboxSnapshotsList(c echo.Context) error {
	o.state.RLock()
	defer o.state.RUnlock()
	list := []api.SandboxSnapshot{}
	for _, name := range slices.Sorted(maps.Keys(o.snapshots))[1:] { // start comes first
		list = append(list, api.SandboxSnapshot{Name: name})
	}
	return c.JSON(http.StatusOK, list)
}

func (o operations) SandboxSnapshotsRetrieve(c echo.Context, name string) error {
	o.state.RLock()
	defer o.state.RUnlock()
	if _, known := o.snapshots[name]; !known {
		return store.ErrNotFound
	}
	return c.JSON(http.StatusOK, api.SandboxSnapshot{Name: name})
}

func (o operations) SandboxSnapshotsUpdate(c echo.Context, name string) error {
	return done(c, o.save(c.Request().Context(), name))
}

func (o operations) SandboxSnapshotsDestroy(c echo.Context, name string) error {
	o.state.Lock()
	defer o.state.Unlock()
	if _, known := o.snapshots[name]; !known {
		return store.ErrNotFound
	}
	delete(o.snapshots, name)
	return done(c, nil)
}

func (o operations) SandboxSnapshotsRestore(c echo.Context, name string) error {
	return done(c, o.restore(c.Request().Context(), name))
}

func (o operations) SandboxImport(c echo.Context) error {
	r := c.Request()
	content, err := server.ReadBody(c, maxBody)
	if err != nil {
		return err
	}
	file := &fixture.File{Name: "body", Content: bytes.NewReader(content)}
	if strings.HasPrefix(r.Header.Get(echo.HeaderContentType), echo.MIMEApplicationJSON) {
		file.Name = "body.json"
	}
	o.state.RLock()
	defer o.state.RUnlock()
	var counts fixture.Counts
	err = o.cfg.Store.Write(r.Context(), store.Actor{}, func(tx *store.Tx) (err error) {
		counts, err = fixture.Import(r.Context(), tx, []*fixture.File{file}, o.cfg.Images, nil)
		return err
	})
	switch {
	case errors.As(err, new(fixture.Error)):
		texts := strings.Split(err.Error(), "\n")
		return &handlers.Problem{Status: http.StatusBadRequest, Fields: map[string][]string{"non_field_errors": texts}}
	case err != nil:
		return err
	}
	return c.JSON(http.StatusOK, counts)
}

// showClock answers with the clock, unless an error came of its change.
func (o operations) showClock(c echo.Context, err error) error {
	if err != nil {
		return err
	}
	at := o.clock.get()
	return c.JSON(http.StatusOK, api.SandboxClock{Now: handlers.FormatTime(at.now), Speed: at.speed})
}

func (o operations) SandboxClockRetrieve(c echo.Context) error { return o.showClock(c, nil) }

func (o operations) SandboxClockUpdate(c echo.Context) error {
	return o.showClock(c, change(c, func(wish api.SandboxClockRequest) error {
		now, err := o.clock.Now(), error(nil)
		if wish.Now != nil {
			now, err = handlers.ParseTime(*wish.Now)
		}
		if err != nil {
			return fmt.Errorf("now: %w", err)
		}
		return o.clock.Set(now, wish.Speed)
	}))
}

func (o operations) SandboxClockAdvance(c echo.Context) error {
	return o.showClock(c, change(c, func(wish api.SandboxClockAdvanceRequest) error {
		by, err := time.ParseDuration(wish.By)
		if err != nil {
			return fmt.Errorf("by: want a duration such as 48h, not %.100q", wish.By)
		}
		return o.clock.Advance(by)
	}))
}

func (o operations) SandboxClockDestroy(c echo.Context) error {
	o.clock.put(setting{})
	return done(c, nil)
}

func (o operations) SandboxFaultsUpdate(c echo.Context) error {
	return done(c, change(c, func(wish []Fault) error { return o.SetFaults(false, wish...) }))
}

func (o operations) SandboxRequestsList(c echo.Context) error {
	return c.JSON(http.StatusOK, o.Requests())
}

func (o operations) SandboxRequestsDestroy(c echo.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests = []Request{}
	return done(c, nil)
}

// mergedSchema is openapi.yaml with what sandbox.yaml adds. What both have is the same in both.
var mergedSchema = sync.OnceValues(func() (asYAML, asJSON []byte) {
	merged, _ := gen.GetSpec() // a test reads both
	added, _ := api.GetSpec()
	merged.Tags = append(merged.Tags, added.Tags...)
	for path, item := range added.Paths.Map() {
		merged.Paths.Set(path, item)
	}
	maps.Copy(merged.Components.Parameters, added.Components.Parameters)
	maps.Copy(merged.Components.Responses, added.Components.Responses)
	maps.Copy(merged.Components.Schemas, added.Components.Schemas)
	asYAML, _ = yaml.Marshal(merged)
	asJSON, _ = json.Marshal(merged)
	return asYAML, asJSON
})
