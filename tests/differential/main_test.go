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
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
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
	defer m.explain(t)
	sequences := 0
	for m.steps < steps {
		// At least one is left when rapid takes a fifth of them under -short.
		setFlag(t, "rapid.checks", max(5, (steps-m.steps)/sequence))
		rapid.Check(t, func(rt *rapid.T) {
			if err := m.reset(rt.Logf); err != nil {
				rt.Fatal(err)
			}
			rt.Repeat(m.actions())
			if err := m.checkEnd(t); err != nil {
				rt.Fatal(err)
			}
			sequences++
		})
	}
	t.Logf("%d steps in %d sequences on %v", m.steps, sequences, storetest.Engines())
	for _, what := range sortedKeys(m.seen) {
		t.Logf("%7d %s", m.seen[what], what)
	}
	if m.steps >= 3000 {
		m.checkSeen(t)
	}
}

// checkSeen is for the test itself: it must not come to be one that is refused everything.
func (m *machine) checkSeen(t *testing.T) {
	for op := range methods {
		success := func(what string) bool { return strings.HasPrefix(what, op+" 2") }
		if !slices.ContainsFunc(sortedKeys(m.seen), success) {
			t.Errorf("%s never succeeded in %d steps", op, m.steps)
		}
	}
}

// setFlag sets what a run of rapid takes from its flags alone.
func setFlag(t *testing.T, name string, value int) {
	t.Helper()
	if err := flag.Set(name, strconv.Itoa(value)); err != nil {
		t.Fatal(err)
	}
}

// explain prints the shortest sequence that fails like the one that just did. Rapid has made
// its steps simple by then, and left out some of them; this leaves out each that can be.
func (m *machine) explain(t *testing.T) {
	if !t.Failed() || m.taken == nil {
		return
	}
	nowhere := func(string, ...any) {}
	steps := m.taken
	for shorter := true; shorter; {
		shorter = false
		for i := len(steps) - 1; i >= 0; i-- {
			rest := slices.Delete(slices.Clone(steps), i, i+1)
			if m.replay(t, rest, nowhere) != nil {
				steps, shorter = rest, true
			}
		}
	}
	t.Log("the shortest sequence:")
	if err := m.replay(t, steps, t.Logf); err != nil {
		t.Log(err)
	} else {
		t.Log("which does not fail again: the same requests don't always get the same answers")
	}
}

// replay takes steps in a sequence of their own and returns how it ends.
func (m *machine) replay(t *testing.T, steps []step, log func(format string, arguments ...any)) error {
	if err := m.reset(log); err != nil {
		return err
	}
	for _, s := range steps {
		log("%#v", s)
		if err := m.take(s); err != nil {
			return err
		}
	}
	return m.checkEnd(t)
}

// checkEnd is what holds after each sequence, on every engine.
func (m *machine) checkEnd(t *testing.T) error {
	all := request{as: "sam", op: "list", query: map[string][]string{"page_size": {"300"}}}
	if err := all.take(m); err != nil {
		return fmt.Errorf("%#v: %w", all, err)
	}
	after, err := m.countEvents()
	if err != nil {
		return err
	}
	for action, count := range m.before {
		if after[action] -= count; after[action] == 0 {
			delete(after, action)
		}
	}
	if diff := cmp.Diff(m.model.events, after); diff != "" {
		return fmt.Errorf("audit events (-want +got):\n%s", diff)
	}
	organisations := len(m.model.organisations)
	counts := map[string]int{
		"SELECT value FROM counters WHERE name = 'call_managing_organisations'": organisations,
		"SELECT count(*) FROM call_managing_organisations":                      organisations,
		"SELECT count(*) FROM images":                                           len(m.model.pictures),
		"SELECT count(*) FROM user_roles":                                       len(m.model.grants),
		`SELECT count(*) FROM images AS i WHERE NOT EXISTS (SELECT 1 FROM customers WHERE image_uuid = i.uuid)
			AND NOT EXISTS (SELECT 1 FROM users WHERE image_uuid = i.uuid)
			AND NOT EXISTS (SELECT 1 FROM call_managing_organisations WHERE image_uuid = i.uuid)`: 0,
		`SELECT count(*) FROM (SELECT 1 FROM user_roles WHERE revoked IS NULL
			GROUP BY user_uuid, role_uuid, customer_uuid, organisation_uuid HAVING count(*) > 1) AS twice`: 0,
	}
	for _, what := range sortedKeys(counts) {
		for _, e := range m.engines {
			got, err := e.texts(what)
			if err != nil {
				return err
			}
			if got[0] != strconv.Itoa(counts[what]) {
				return fmt.Errorf("%s: %s: %s, want %d", e.name, what, got[0], counts[what])
			}
		}
	}
	first := storetest.Dump(t, m.engines[0].db)
	for _, e := range m.engines[1:] {
		if diff := cmp.Diff(first, storetest.Dump(t, e.db)); diff != "" {
			return fmt.Errorf("the tables of %s (-) and %s (+) differ:\n%s", m.engines[0].name, e.name, diff)
		}
	}
	return nil
}
