package differential

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/opencalls/opencalls/store/storetest"
)

// machine is the engines and the model, which take the same steps.
type machine struct {
	engines []*engine
	model   *model
	clock   *storetest.Clock
	before  map[string]int // audit events that setting up the world left
	seen    map[string]int // how often each operation had each status, over all sequences
	steps   int            // over all sequences
}

var worldTime = storetest.NewClock().Now()

// reset begins a sequence.
func (m *machine) reset(t *rapid.T) {
	m.clock.Set(worldTime)
	w := newWorld(worldTime)
	for _, e := range m.engines {
		if err := e.reset(w); err != nil {
			t.Fatal(err)
		}
	}
	imageOf := map[uuid.UUID]uuid.UUID{}
	for _, table := range []string{"customers", "users", "call_managing_organisations"} {
		for _, row := range m.ask(t, "SELECT uuid, image_uuid FROM "+table+" WHERE image_uuid IS NOT NULL") {
			owner, image, _ := strings.Cut(row, " ")
			imageOf[uuid.MustParse(owner)] = uuid.MustParse(image)
		}
	}
	m.model = newModel(w, m.clock.Now, imageOf)
	m.before = m.countEvents(t)
}

// ask returns the rows of a query on the first engine.
func (m *machine) ask(t *rapid.T, query string) []string {
	rows, err := m.engines[0].texts(query)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// send sends a request to all engines, and compares what they answer with each other and with
// what the model says.
func (m *machine) send(t *rapid.T, r request) {
	want := m.model.predict(r)
	answers := make([]answer, len(m.engines))
	for i, e := range m.engines {
		var err error
		if answers[i], err = e.send(r); err != nil {
			t.Fatal(err)
		}
	}
	got := answers[0]
	t.Logf("    %d %s", got.status, shorten(got.body, 1000))
	for i, e := range m.engines[1:] {
		if diff := cmp.Diff(got, answers[i+1], cmp.AllowUnexported(answer{})); diff != "" {
			t.Fatalf("%s (-) and %s (+) differ:\n%s", m.engines[0].name, e.name, diff)
		}
	}
	if err := m.check(want, r, got); err != nil {
		t.Fatalf("%s and the model differ: %v", m.engines[0].name, err)
	}
	for _, g := range m.model.grants {
		if g.UUID == uuid.Nil { // no answer says which id it got
			g.UUID = uuid.MustParse(m.ask(t, fmt.Sprintf("SELECT uuid FROM user_roles WHERE user_uuid = '%s' AND role_uuid = '%s' AND organisation_uuid = '%s' AND revoked IS NULL",
				g.User, m.model.role(g.Role).UUID, *g.Scope.Organisation))[0])
		}
	}
	m.seen[r.op+" "+strconv.Itoa(got.status)]++
	m.steps++
}

// check says how an answer is not what the model says, and lets the model follow it.
func (m *machine) check(want want, r request, got answer) error {
	if got.status != want.status {
		return fmt.Errorf("status %d, want %d %v %s", got.status, want.status, want.fields, want.text)
	}
	switch {
	case r.method() == "HEAD" && got.body != "":
		return fmt.Errorf("HEAD has the body %s", got.body)
	case got.status >= 400 && r.method() == "HEAD":
		return nil
	case got.status >= 400:
		return checkRefusal(want, got)
	case want.picture != "":
		if got.body != want.picture || got.header.Get("Content-Type") != "image/png" {
			return fmt.Errorf("not the picture that was sent, as image/png, but %s %q", got.header.Get("Content-Type"), got.body)
		}
		return nil
	}
	if want.pages != nil {
		if err := checkPaging(want, got); err != nil {
			return err
		}
	}
	var body any
	if got.body != "" {
		if err := json.Unmarshal([]byte(got.body), &body); err != nil {
			return err
		}
	}
	if want.change != nil {
		one, _ := body.(object)
		if err := want.change(one); err != nil {
			return err
		}
	}
	var wanted any
	if want.body != nil {
		if err := json.Unmarshal([]byte(marshal(want.body())), &wanted); err != nil {
			return err
		}
	}
	if diff := cmp.Diff(wanted, body); diff != "" {
		return fmt.Errorf("the body (-want +got):\n%s", diff)
	}
	return nil
}

func checkRefusal(want want, got answer) error {
	var body map[string]any
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		return err
	}
	slices.Sort(want.fields)
	if diff := cmp.Diff(want.fields, sortedKeys(body)); diff != "" {
		return fmt.Errorf("the fields that are wrong (-want +got):\n%s", diff)
	}
	if want.text == "" {
		return nil
	}
	var text any = want.text
	if want.fields[0] != "detail" {
		text = []any{want.text}
	}
	if diff := cmp.Diff(text, body[want.fields[0]]); diff != "" {
		return fmt.Errorf("the text (-want +got):\n%s", diff)
	}
	return nil
}

var linkPart = regexp.MustCompile(`<([^>]*)>; rel="(\w+)"`)

// checkPaging compares the headers of a list with what the model says.
func checkPaging(want want, got answer) error {
	if count := got.header.Get("X-Result-Count"); count != strconv.Itoa(want.rows) {
		return fmt.Errorf("X-Result-Count %s, want %d", count, want.rows)
	}
	pages := map[string]int{}
	for _, match := range linkPart.FindAllStringSubmatch(got.header.Get("Link"), -1) {
		target, err := url.Parse(match[1])
		if err != nil {
			return err
		}
		pages[match[2]] = 1
		if number := target.Query().Get("page"); number != "" {
			pages[match[2]], _ = strconv.Atoi(number)
		}
	}
	if !maps.Equal(pages, want.pages) {
		return fmt.Errorf("Link has the pages %v, want %v", pages, want.pages)
	}
	return nil
}

// load imports an entry on all engines and in the model. What it does not change leaves no event.
func (m *machine) load(t *rapid.T, w world) {
	for _, e := range m.engines {
		if err := e.load(w); err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
	}
	m.model.load(w)
	m.seen["import"]++
	m.steps++
}

// advance moves the one clock of all.
func (m *machine) advance(by time.Duration) {
	m.clock.Advance(by)
	m.seen["time"]++
	m.steps++
}

// countEvents returns how many audit events there are of each action.
func (m *machine) countEvents(t *rapid.T) map[string]int {
	events := map[string]int{}
	for _, row := range m.ask(t, "SELECT action, count(*) FROM audit_events GROUP BY action") {
		action, count, _ := strings.Cut(row, " ")
		events[action], _ = strconv.Atoi(count)
	}
	return events
}
