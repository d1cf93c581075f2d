package differential

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencalls/opencalls/tests/world"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store/storetest"
)

// machine is the engines and the model, which take the same steps.
type machine struct {
	engines []*engine
	model   *model
	clock   *storetest.Clock
	before  map[string]int // audit events that setting up the world left
	log     func(format string, arguments ...any)

	steps int            // of all sequences
	seen  map[string]int // how often each operation had each outcome
}

// step is what a sequence is made of: a request, a pause or an import.
type step interface {
	fmt.GoStringer
	take(m *machine) error // an error is a difference
}

var worldTime = storetest.NewClock().Now()

// reset begins a sequence, which is logged line by line.
func (m *machine) reset(log func(format string, arguments ...any)) error {
	m.clock.Set(worldTime)
	m.log = log
	for _, e := range m.engines {
		if err := e.reset(); err != nil {
			return err
		}
	}
	imageOf := map[uuid.UUID]uuid.UUID{}
	for _, table := range []string{"customers", "users", "call_managing_organisations"} {
		images, err := m.engines[0].pairs("SELECT uuid, image_uuid FROM " + table + " WHERE image_uuid IS NOT NULL")
		if err != nil {
			return err
		}
		for owner, image := range images {
			imageOf[uuid.MustParse(owner)] = uuid.MustParse(image)
		}
	}
	m.model = newModel(newWorld(worldTime), m.clock.Now, imageOf)
	var err error
	m.before, err = m.countEvents()
	return err
}

// take sends the request to all engines, and compares what they answer with each other and
// with what the model says.
func (r request) take(m *machine) error {
	want := m.model.predict(r)
	answers, errs := make([]world.Answer, len(m.engines)), make([]error, len(m.engines))
	var wait sync.WaitGroup
	for i, e := range m.engines {
		wait.Go(func() { answers[i], errs[i] = e.send(r) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	got := answers[0]
	m.log("    %d %s", got.Status, shorten(got.Body))
	for i, e := range m.engines[1:] {
		if diff := cmp.Diff(got, answers[i+1]); diff != "" {
			return fmt.Errorf("%s (-) and %s (+) differ:\n%s", m.engines[0].name, e.name, diff)
		}
	}
	if err := m.check(want, r, got); err != nil {
		return fmt.Errorf("%s and the model differ: %w", m.engines[0].name, err)
	}
	m.seen[strings.TrimSpace(fmt.Sprintf("%s %d %s", r.op, want.status, want.text))]++
	return m.learnGrants()
}

// learnGrants lets the model know the id of a new grant, which no answer says.
func (m *machine) learnGrants() error {
	for _, g := range m.model.grants {
		if g.UUID != uuid.Nil {
			continue
		}
		ids, err := m.engines[0].pairs(fmt.Sprintf("SELECT user_uuid, uuid FROM user_roles WHERE user_uuid = '%s' AND role_uuid = '%s' AND organisation_uuid = '%s' AND revoked IS NULL",
			g.User, m.model.role(g.Role).UUID, *g.Scope.Organisation))
		if err != nil {
			return err
		}
		if g.UUID, err = uuid.Parse(ids[g.User.String()]); err != nil {
			return fmt.Errorf("a new grant: %w", err)
		}
	}
	return nil
}

// take imports an entry on all engines and in the model.
func (w entries) take(m *machine) error {
	for _, e := range m.engines {
		if err := e.load(w); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	m.model.load(w)
	m.seen["import"]++
	return nil
}

// GoString is the entry's line in the list that a failure prints.
func (w entries) GoString() string { return "import " + marshal(w) }

// pause is a time in which nothing is asked.
type pause time.Duration

func (p pause) take(m *machine) error {
	m.clock.Advance(time.Duration(p))
	m.log("    it is %s", showTime(m.clock.Now()))
	m.seen["pause"]++
	return nil
}

// GoString is the pause's line in the list that a failure prints.
func (p pause) GoString() string { return "pause " + time.Duration(p).String() }

// check says how an answer is not what the model says, and lets the model follow it.
func (m *machine) check(want want, r request, got world.Answer) error {
	if got.Status != want.status {
		return fmt.Errorf("status %d, want %d %v %s", got.Status, want.status, want.fields, want.text)
	}
	switch {
	case r.method() == "HEAD" && got.Body != "":
		return fmt.Errorf("HEAD has the body %s", got.Body)
	case got.Status >= 400 && r.method() == "HEAD":
		return nil
	case got.Status >= 400:
		return checkRefusal(want, got)
	case want.picture != "":
		if got.Body != want.picture || got.Header.Get("Content-Type") != "image/png" {
			return fmt.Errorf("not the picture that was sent, as image/png, but %s %q", got.Header.Get("Content-Type"), got.Body)
		}
		return nil
	}
	if want.pages != nil {
		if err := checkPaging(want, r, got); err != nil {
			return err
		}
	}
	var body any
	if got.Body != "" {
		if err := json.Unmarshal([]byte(got.Body), &body); err != nil {
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

func checkRefusal(want want, got world.Answer) error {
	var body map[string]any
	if err := json.Unmarshal([]byte(got.Body), &body); err != nil {
		return err
	}
	slices.Sort(want.fields)
	if diff := cmp.Diff(want.fields, slices.Sorted(maps.Keys(body))); diff != "" {
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

// checkPaging compares the headers of a list with what the model says. Links with a long query may
// be left out.
func checkPaging(want want, r request, got world.Answer) error {
	if count := got.Header.Get("X-Result-Count"); count != strconv.Itoa(want.rows) {
		return fmt.Errorf("X-Result-Count %s, want %d", count, want.rows)
	}
	if got.Header.Get("Link") == "" && len(r.query.Encode()) > 800 {
		return nil
	}
	pages := map[string]int{}
	for _, match := range linkPart.FindAllStringSubmatch(got.Header.Get("Link"), -1) {
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

// countEvents returns how many audit events there are of each action.
func (m *machine) countEvents() (map[string]int, error) {
	events := map[string]int{}
	counts, err := m.engines[0].pairs("SELECT action, count(*) FROM audit_events GROUP BY action")
	for action, count := range counts {
		events[action], _ = strconv.Atoi(count)
	}
	return events, err
}
