// Package differential drives one random sequence of requests against the app on SQLite and
// against the app on Postgres, with the same clock and the same ids, and compares the answers
// byte for byte; and against a model of the app in memory, written from what the API promises
// and not from the code, which says what the answers must hold.
//
//	make test                                                       # some 3,000 steps
//	STEPS=100000 tools/postgres.sh go test ./differential -timeout 60m
//	OPENCALLS_TEST_ENGINES=sqlite go test ./differential            # SQLite and the model alone
//
// A failure prints the shortest sequence of requests that shows it, and the -rapid.seed that
// brings it back.
package differential

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	m := &machine{clock: storetest.NewClock(), seen: map[string]int{}}
	for _, name := range storetest.Engines() {
		m.engines = append(m.engines, start(t, name, m.clock))
	}
	setFlag(t, "rapid.steps", sequence)
	sequences := 0
	for m.steps < steps {
		n := max(1, (steps-m.steps)/sequence)
		setFlag(t, "rapid.checks", n)
		rapid.Check(t, func(rt *rapid.T) {
			m.reset(rt)
			rt.Repeat(m.actions())
			m.checkEnd(t, rt)
		})
		sequences += n
	}
	t.Logf("%d steps in %d sequences on %v", m.steps, sequences, storetest.Engines())
	for _, what := range sortedKeys(m.seen) {
		t.Logf("%7d %s", m.seen[what], what)
	}
}

// setFlag sets a flag of rapid, which takes its settings from nowhere else.
func setFlag(t *testing.T, name string, value int) {
	t.Helper()
	if err := flag.Set(name, strconv.Itoa(value)); err != nil {
		t.Fatal(err)
	}
}

// checkEnd is what holds after each sequence, on every engine.
func (m *machine) checkEnd(t *testing.T, rt *rapid.T) {
	m.send(rt, request{as: "sam", op: "list", query: map[string][]string{"page_size": {"300"}}})
	events := map[string]int{}
	for action, count := range m.countEvents(rt) {
		if count != m.before[action] {
			events[action] = count - m.before[action]
		}
	}
	if diff := cmp.Diff(m.model.events, events); diff != "" {
		rt.Errorf("audit events (-want +got):\n%s", diff)
	}
	organisations := len(m.model.organisations)
	for _, e := range m.engines {
		for what, want := range map[string]int{
			"SELECT value FROM counters WHERE name = 'call_managing_organisations'": organisations,
			"SELECT count(*) FROM call_managing_organisations":                      organisations,
			"SELECT count(*) FROM images":                                           len(m.model.pictures),
			"SELECT count(*) FROM user_roles":                                       len(m.model.grants),
			`SELECT count(*) FROM images AS i WHERE NOT EXISTS (SELECT 1 FROM customers WHERE image_uuid = i.uuid)
				AND NOT EXISTS (SELECT 1 FROM users WHERE image_uuid = i.uuid)
				AND NOT EXISTS (SELECT 1 FROM call_managing_organisations WHERE image_uuid = i.uuid)`: 0,
			`SELECT count(*) FROM (SELECT 1 FROM user_roles WHERE revoked IS NULL
				GROUP BY user_uuid, role_uuid, customer_uuid, organisation_uuid HAVING count(*) > 1) AS twice`: 0,
		} {
			got, err := e.texts(what)
			if err != nil {
				rt.Fatal(err)
			}
			if got[0] != fmt.Sprint(want) {
				rt.Errorf("%s: %s: %s, want %d", e.name, what, got[0], want)
			}
		}
	}
	first := storetest.Dump(t, m.engines[0].db)
	for _, e := range m.engines[1:] {
		if diff := cmp.Diff(first, storetest.Dump(t, e.db)); diff != "" {
			rt.Errorf("the tables of %s (-) and %s (+) differ:\n%s", m.engines[0].name, e.name, diff)
		}
	}
}
