package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// scenario is one promise of the store, which every engine keeps.
type scenario struct {
	name string
	run  func(r *rig)
}

// TestConformance runs each scenario on a fresh store of each engine.
func TestConformance(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		for name, scenarios := range map[string][]scenario{
			"transactions": transactionScenarios, "contexts": contextScenarios, "events": eventScenarios, "audit": auditScenarios, "constraints": constraintScenarios,
			"organisations": organisationScenarios, "list": listScenarios, "text": textScenarios, "times": timeScenarios, "users": userScenarios,
			"grants": grantScenarios, "import": importScenarios, "export": exportScenarios, "concurrency": concurrencyScenarios,
		} {
			t.Run(name, func(t *testing.T) {
				for _, scenario := range scenarios {
					t.Run(scenario.name, func(t *testing.T) {
						t.Parallel()
						r := newRig(t, engine)
						defer r.recover()
						scenario.run(r)
					})
				}
			})
		}
	})
}

// rig is what a scenario works with.
type rig struct {
	*testing.T
	ctx        context.Context
	engine     string
	url        string
	store      *store.Store
	clock      *storetest.Clock
	world      *world
	sql        *sql.DB // the tables past the store
	statements *storetest.Statements
}

func newRig(t *testing.T, engine string) *rig {
	r := &rig{T: t, ctx: t.Context(), engine: engine, url: storetest.MigratedURL(t, engine), clock: storetest.NewClock(), statements: &storetest.Statements{}}
	var tables storetest.SQL
	r.store = storetest.OpenURL(t, r.url, r.clock.Use, storetest.Sequence, tables.Use, r.statements.Use)
	r.sql = tables.DB(t)
	r.world = &world{store: r.store}
	return r
}

// each runs a part of a scenario as a subtest, which ends without the others.
func (r *rig) each(name string, run func(r *rig)) {
	r.Run(name, func(t *testing.T) {
		part := *r
		part.T = t
		defer part.recover()
		run(&part)
	})
}

// must returns the value; an error ends the test.
func must[T any](value T, err error) T {
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		panic(failure(fmt.Sprintf("%s:%d: %v", file, line, err)))
	}
	return value
}

// errorOf returns the error of a call that returns a value too.
func errorOf[T any](_ T, err error) error { return err }

// failure is what must panics with.
type failure string

func (r *rig) recover() {
	switch f := recover().(type) {
	case nil:
	case failure:
		r.Fatal(f)
	default:
		panic(f)
	}
}

// write makes a change that has to succeed.
func (r *rig) write(change func(tx *store.Tx) error) {
	r.Helper()
	r.ok(write(r.store, change))
}

// fails makes a change that has to fail, checks that it left nothing behind, and returns the
// error.
func (r *rig) fails(change func(tx *store.Tx) error) error {
	r.Helper()
	before := r.dump()
	err := write(r.store, change)
	if err == nil {
		r.Fatal("no error")
	}
	r.same(r.dump(), before)
	return err
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// errTakeBack is returned by a change that is not to be kept.
var errTakeBack = errors.New("take it back")

// is checks an error's kind.
func (r *rig) is(err, want error) {
	r.Helper()
	if !errors.Is(err, want) {
		r.Fatalf("error is %v, not %v", err, want)
	}
}

// same compares deeply.
func (r *rig) same(got, want any) {
	r.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		r.Fatalf("want (-), got (+):\n%s", diff)
	}
}

// count counts a table's rows.
func (r *rig) count(table string) int {
	r.Helper()
	return storetest.Count(r, r.sql, "SELECT count(*) FROM "+table)
}

// dump returns all rows of all tables.
func (r *rig) dump() map[string][]string {
	r.Helper()
	return storetest.Dump(r, r.sql)
}

// locked returns an organisation as handlers change it: locked first.
func locked(tx *store.Tx, id uuid.UUID, change func(store.Organisation) error) error {
	o, err := tx.LockOrganisation(id)
	if err != nil {
		return err
	}
	return change(o)
}

// remove is a change that deletes an organisation.
func remove(id uuid.UUID) func(tx *store.Tx) error {
	return func(tx *store.Tx) error { return locked(tx, id, tx.DeleteOrganisation) }
}

// addUser is a change of some size.
func addUser(tx *store.Tx) error {
	u, err := tx.CreateUser(store.User{Username: "u-" + uuid.NewString(), FirstName: strings.Repeat("long ", 1000)}, nil)
	if err != nil {
		return err
	}
	return tx.CreateToken(u.UUID, store.Digest(u.Username), nil)
}

func write(s *store.Store, change func(tx *store.Tx) error) error {
	return s.Write(context.Background(), store.Actor{}, change)
}

// onPostgres runs a test of Postgres alone, where that is tested.
func onPostgres(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if slices.Contains(storetest.Engines(), storetest.Postgres) {
		test(t)
	}
}

func ptr[T any](value T) *T { return &value }
