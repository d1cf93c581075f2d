// Package differential sends one random sequence of requests to the app on SQLite and to the app
// on Postgres, with the same clock and the same ids, and compares the answers byte for byte. It
// also compares them with a model of the app in memory, which is written from what the API
// promises and not from the code.
//
//	make test                                                     # some 3,000 steps
//	make differential STEPS=100000
//	OPENCALLS_TEST_ENGINES=sqlite go test ./tests/differential    # SQLite and the model alone
//
// A failure prints the shortest sequence of requests that shows it, and the -rapid.seed that
// repeats it.
package differential

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// sequence is how many steps a sequence has on average: enough for what one step leaves to
// matter to later ones, and few enough to be shortened soon.
const sequence = 50

// TestSequences takes STEPS random steps, in sequences that begin with the same world.
func TestSequences(t *testing.T) {
	steps := 3000
	if text := os.Getenv("STEPS"); text != "" {
		var err error
		if steps, err = strconv.Atoi(text); err != nil || steps < 1 {
			t.Fatalf("STEPS=%s is no number of steps", text)
		}
	}
	m := &machine{t: t, clock: storetest.NewClock(), seen: map[string]int{}}
	for _, name := range storetest.Engines() {
		m.engines = append(m.engines, start(t, name, m.clock))
	}
	for m.steps < steps {
		// At least one is left when rapid takes a fifth of them under -short.
		checks := strconv.Itoa(max(5, (steps-m.steps)/sequence))
		if err := errors.Join(flag.Set("rapid.steps", strconv.Itoa(sequence)), flag.Set("rapid.checks", checks)); err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(rt *rapid.T) {
			if err := m.reset(rt.Logf); err != nil {
				rt.Fatal(err)
			}
			rt.Repeat(m.actions())
			if err := m.checkEnd(); err != nil {
				rt.Fatal(err)
			}
		})
	}
	t.Logf("%d steps on %v", m.steps, storetest.Engines())
	for _, what := range slices.Sorted(maps.Keys(m.seen)) {
		t.Logf("%7d %s", m.seen[what], what)
	}
	for op := range methods { // the test must not come to be one that is refused everything
		if m.steps >= 3000 && m.seen[op+" 200"]+m.seen[op+" 201"]+m.seen[op+" 204"] == 0 {
			t.Errorf("%s never succeeded in %d steps", op, m.steps)
		}
	}
}

// checkEnd is what holds after each sequence: of the first engine, whose tables the others' must be like.
func (m *machine) checkEnd() error {
	for _, op := range []string{"list", "customers.list", "users.list"} {
		all := request{as: "sam", op: op, query: map[string][]string{"page_size": {"300"}}}
		if err := m.send(all); err != nil {
			return fmt.Errorf("%s: %w", all, err)
		}
	}
	var events []string
	for _, action := range slices.Sorted(maps.Keys(m.model.events)) {
		events = append(events, fmt.Sprintf("action=%q count=%d", action, m.model.events[action]))
	}
	got := m.rows(`SELECT action, count(*) AS count FROM audit_events
		WHERE uuid NOT IN (SELECT uuid FROM kept_audit_events) GROUP BY action`)
	slices.Sort(got)
	if diff := cmp.Diff(events, got, cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("audit events (-want +got):\n%s", diff)
	}
	organisations := len(m.model.organisations)
	counts := map[string]int{
		"SELECT value FROM counters WHERE name = 'call_managing_organisations'": organisations,
		"SELECT count(*) FROM call_managing_organisations":                      organisations,

		"SELECT value FROM counters WHERE name = 'customers'": len(m.model.customers),
		"SELECT count(*) FROM customers":                      len(m.model.customers),

		"SELECT count(*) FROM images":     len(m.model.pictures),
		"SELECT count(*) FROM user_roles": len(m.model.grants),
		`SELECT count(*) FROM images AS i WHERE NOT EXISTS (SELECT 1 FROM customers WHERE image_uuid = i.uuid)
			AND NOT EXISTS (SELECT 1 FROM users WHERE image_uuid = i.uuid)
			AND NOT EXISTS (SELECT 1 FROM call_managing_organisations WHERE image_uuid = i.uuid)`: 0,
		`SELECT count(*) FROM (SELECT 1 FROM user_roles WHERE revoked IS NULL
			GROUP BY user_uuid, role_uuid, customer_uuid, organisation_uuid HAVING count(*) > 1) AS twice`: 0,
	}
	for query, want := range counts {
		if got := storetest.Count(m.t, m.engines[0].db, query); got != want {
			return fmt.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	first := storetest.Dump(m.t, m.engines[0].db)
	for _, e := range m.engines[1:] {
		if diff := cmp.Diff(first, storetest.Dump(m.t, e.db)); diff != "" {
			return fmt.Errorf("the tables of %s (-) and %s (+) differ:\n%s", m.engines[0].name, e.name, diff)
		}
	}
	return nil
}
