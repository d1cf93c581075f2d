package storetest

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// Run is the suite that every engine passes: what the store's methods promise, each scenario
// on a fresh store that open returns.
func Run(t *testing.T, open func(t testing.TB, options ...Option) *store.Store) {
	for _, group := range []struct {
		name      string
		scenarios []scenario
	}{
		{"transactions", transactionScenarios},
		{"constraints", constraintScenarios},
		{"organisations", organisationScenarios},
		{"list", listScenarios},
		{"text", textScenarios},
		{"times", timeScenarios},
		{"users", userScenarios},
		{"grants", grantScenarios},
		{"members", memberScenarios},
		{"stats", statsScenarios},
		{"import", importScenarios},
		{"images", imageScenarios},
		{"export", exportScenarios},
		{"concurrency", concurrencyScenarios},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, scenario := range group.scenarios {
				t.Run(scenario.name, func(t *testing.T) {
					t.Parallel()
					scenario.run(newRig(t, open))
				})
			}
		})
	}
}

// scenario is one promise of the store.
type scenario struct {
	name string
	run  func(r *rig)
}

// rig is what a scenario works with.
type rig struct {
	*testing.T
	ctx        context.Context
	store      *store.Store
	clock      *Clock
	world      *World
	sql        *sql.DB // the tables past the store
	statements *Statements
}

func newRig(t *testing.T, open func(t testing.TB, options ...Option) *store.Store) *rig {
	r := &rig{T: t, ctx: context.Background(), clock: NewClock(), statements: &Statements{}}
	var tables SQL
	r.store = open(t, r.clock.Use, Sequence, tables.Use, r.statements.Use)
	r.sql = tables.DB(t)
	r.world = NewWorld(t, r.store)
	return r
}

// each runs a part of a scenario as a subtest, which ends without the others.
func (r *rig) each(name string, run func(r *rig)) {
	r.Run(name, func(t *testing.T) {
		part := *r
		part.T, part.world = t, r.world.For(t)
		run(&part)
	})
}

// write makes a change that has to succeed.
func (r *rig) write(change func(tx *store.Tx) error) {
	r.Helper()
	r.ok(r.store.Write(r.ctx, store.Actor{}, change))
}

// fails makes a change that has to fail, checks that it left nothing behind, and returns the
// error.
func (r *rig) fails(change func(tx *store.Tx) error) error {
	r.Helper()
	before := Dump(r, r.sql)
	err := r.store.Write(r.ctx, store.Actor{}, change)
	if err == nil {
		r.Fatal("no error")
	}
	r.same(Dump(r, r.sql), before)
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
	return Count(r, r.sql, "SELECT count(*) FROM "+table)
}

// locked returns an organisation as handlers change it: locked first.
func locked(tx *store.Tx, id uuid.UUID, change func(store.Organisation) error) error {
	o, err := tx.LockOrganisation(id)
	if err != nil {
		return err
	}
	return change(o)
}

func ptr[T any](value T) *T { return &value }
