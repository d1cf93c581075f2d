package differential

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

// machine is the engines and the model, which take the same steps.
type machine struct {
	t       *testing.T
	engines []*engine
	model   *model
	clock   *storetest.Clock
	log     func(format string, arguments ...any)

	steps int            // of all sequences
	seen  map[string]int // how often each operation had each outcome
}

// step is what a sequence is made of: a request, a pause or an import.
type step struct {
	text string
	take func() error // an error is a difference
}

// GoString is the step's line in the list that a failure prints.
func (s step) GoString() string { return s.text }

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
		for _, row := range m.rows("SELECT uuid, image_uuid FROM " + table + " WHERE image_uuid IS NOT NULL") {
			ids := idPart.FindAllString(row, -1)
			imageOf[parseID(ids[0])] = parseID(ids[1])
		}
	}
	m.model = newModel(newWorld(worldTime), m.clock.Now, imageOf)
	return nil
}

// rows are those of a query on the first engine.
func (m *machine) rows(query string) []string { return storetest.Rows(m.t, m.engines[0].db, query) }

// send sends the request to all engines, and compares what they answer with each other and
// with what the model says.
func (m *machine) send(r request) error {
	want := m.model.predict(r)
	answers := make([]world.Answer, len(m.engines))
	var group errgroup.Group
	for i, e := range m.engines {
		group.Go(func() (err error) {
			answers[i], err = e.send(r)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	got := answers[0]
	m.log("    %d %s", got.Status, shorten(got.Body))
	for i, e := range m.engines {
		if diff := cmp.Diff(got, answers[i]); diff != "" {
			return fmt.Errorf("%s (-) and %s (+) differ:\n%s", m.engines[0].name, e.name, diff)
		}
	}
	if err := check(want, r, got); err != nil {
		return fmt.Errorf("%s and the model differ: %w", m.engines[0].name, err)
	}
	outcome := fmt.Sprint(r.op, " ", want.status)
	if want.status >= 400 {
		outcome += " " + marshal(want.body())
	}
	m.seen[outcome]++
	return m.learnGrants()
}

// learnGrants lets the model know the id of a new grant, which no answer says.
func (m *machine) learnGrants() error {
	for _, g := range m.model.grants {
		if g.UUID != uuid.Nil {
			continue
		}
		rows := m.rows(fmt.Sprintf(`SELECT uuid FROM user_roles
			WHERE revoked IS NULL AND (user_uuid, role_uuid, COALESCE(organisation_uuid, customer_uuid))
				= ('%s', '%s', '%s')`,
			g.User, m.model.role(g.Role).UUID, g.Scope.object()))
		if len(rows) != 1 {
			return fmt.Errorf("a new grant has the rows %q", rows)
		}
		g.UUID = parseID(idPart.FindString(rows[0]))
	}
	return nil
}

// load imports entries on all engines and in the model.
func (m *machine) load(w entries) error {
	for _, e := range m.engines {
		if err := e.load(w); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	m.model.load(w)
	m.seen["import"]++
	return nil
}

// outcome is what is compared of an answer and of what the model says.
type outcome struct {
	Status int
	Count  string
	Pages  map[string]int
	Body   any
}

// check says how an answer is not what the model says, and lets the model follow it.
func check(want want, r request, answer world.Answer) error {
	header := answer.Header
	got := outcome{Status: answer.Status, Count: header.Get("X-Result-Count"), Pages: pagesIn(header.Get("Link"))}
	switch {
	case answer.Body == "":
	case header.Get("Content-Type") == "image/png":
		got.Body = answer.Body
	default:
		if err := json.Unmarshal([]byte(answer.Body), &got.Body); err != nil {
			return err
		}
	}
	fields, _ := got.Body.(object)
	if want.keys && fields != nil {
		got.Body = slices.Sorted(maps.Keys(fields))
	}
	if want.change != nil && got.Status == want.status {
		if err := want.change(fields); err != nil {
			return err
		}
	}
	wanted := outcome{Status: want.status, Count: want.count, Pages: want.pages}
	if want.body != nil && r.method() != "HEAD" {
		wanted.Body = want.body()
	}
	if got.Pages == nil && len(r.query.Encode()) > 800 {
		wanted.Pages = nil // links with a long query may be left out
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		return fmt.Errorf("-want +got:\n%s", diff)
	}
	return nil
}

var (
	linkPart = regexp.MustCompile(`<([^>]*)>; rel="(\w+)"`)
	pagePart = regexp.MustCompile(`[?&]page=(\d+)`)
	idPart   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
)

// pagesIn returns the pages in a Link header by their relation.
func pagesIn(links string) map[string]int {
	if links == "" {
		return nil
	}
	pages := map[string]int{}
	for _, match := range linkPart.FindAllStringSubmatch(links, -1) {
		page := 1
		if number := pagePart.FindStringSubmatch(match[1]); number != nil {
			page, _ = strconv.Atoi(number[1])
		}
		pages[match[2]] = page
	}
	return pages
}
