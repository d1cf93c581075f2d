// Package sandbox is the server for the tests of clients: its state can be put back, its clock can be set,
// it fails on demand, and it shows what it received. sandbox.yaml describes what it serves for that.
//
//	clock := &sandbox.Clock{}
//	clock.Use(&storeConfig)
//	… open the store, migrate it, import the world …
//	box, err := sandbox.New(ctx, server.Config{Store: store}, clock)
//	http.Serve(listener, box)
package sandbox

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

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
	data  store.Snapshot
	clock setting
}

// start is the name of the state of New, which no other has.
const start = ""

const maxSnapshots = 100 // beside that of the start

// snapshotName is what a snapshot may be called.
var snapshotName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// New returns a server on a SQLite store whose clock is the one given. Reset goes back to the data and the
// clock as they are now.
func New(ctx context.Context, cfg server.Config, clock *Clock) (*Sandbox, error) {
	spec, err := server.Spec()
	if err != nil {
		return nil, err
	}
	s := &Sandbox{
		cfg: cfg.WithDefaults(), clock: clock, operations: map[string]*openapi3.Operation{},
		snapshots: map[string]snapshot{}, requests: []Request{},
	}
	route := strings.NewReplacer("{", ":", "}", "") // as the router writes a path
	for path, item := range spec.Paths.Map() {
		for method, op := range item.Operations() {
			s.operations[op.OperationID] = op
			s.operations[method+" "+route.Replace(path)] = op
		}
	}
	if err := s.save(ctx, start); err != nil {
		return nil, err
	}
	register := func(e *echo.Echo) { api.RegisterHandlers(e, operations{s}) }
	s.cfg.Extension = &server.Extension{Schema: mergedSchema, Route: register, Around: s.around}
	s.Handler, err = server.New(s.cfg)
	return s, err
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
	return s.addFaults(true)
}
