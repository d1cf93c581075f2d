package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// Of images that replace one another the last one is served, and nothing is left of the others.
func TestImageAgainstImage(t *testing.T) {
	races(t, func(r *race) {
		o := r.world.Organisation(r.world.Customer("Tartu")).UUID
		for range raceRounds {
			var sets []request
			files := map[string]string{} // by the answers' request ids
			for i := range 6 {
				sets = append(sets, r.patch(r.staff, o, parts(file("image", "a.png", "image/png", pictureOf(i+1)))))
			}
			answers := r.together(sets...)
			r.statuses(answers, map[int]int{200: 6})
			shown := map[string]string{}
			for i, a := range answers {
				id := a.header.Get("X-Request-ID")
				shown[id], files[id] = imageOf(r, a), pictureOf(i+1)
			}
			events := r.rows(fmt.Sprintf("SELECT request_id, action FROM audit_events WHERE object_uuid = '%s' ORDER BY uuid", o))
			last := events[len(events)-1][0]
			retrieved := r.do(request{method: http.MethodGet, target: base + o.String() + "/", token: r.staff})
			if at := imageOf(r, retrieved); at != shown[last] {
				r.Errorf("the image is at %s, the last one set at %s", at, shown[last])
			}
			for id, at := range shown {
				got := r.do(request{method: http.MethodGet, target: at})
				if id == last && got.body != files[id] || id != last && got.status != http.StatusNotFound {
					r.Errorf("%s: %d, %d bytes; last is %v", at, got.status, len(got.body), id == last)
				}
			}
			if n := storetest.Count(r, r.sql, "SELECT count(*) FROM images"); n != 1 {
				r.Errorf("%d images", n)
			}
		}
	})
}

// imageOf is the path of the image that an answer shows; "" without one.
func imageOf(r *race, a answer) string {
	var body struct{ Image string }
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		r.Errorf("%s: %v", a.body, err)
	}
	return strings.TrimPrefix(body.Image, publicURL)
}

// load imports a file's text, as the command does beside a server.
func (r *race) load(text string) {
	err := r.store.Write(context.Background(), store.Actor{}, func(tx *store.Tx) error {
		file := &fixture.File{Name: "race.json", Content: strings.NewReader(text)}
		_, err := fixture.Import(context.Background(), tx, []*fixture.File{file}, images.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20}, nil)
		return err
	})
	if err != nil {
		r.Errorf("import: %v", err)
	}
}

// imported is what an import file of the race speaks of: customers with their organisations,
// and users who hold a role on each of these.
type imported struct{ customers, organisations, users []uuid.UUID }

// file is its text, with names of this round, in one order or the other: two imports lock the
// same rows the other way round.
func (i imported) file(round int, reversed bool) string {
	lists := map[string][]string{}
	add := func(list, format string, values ...any) {
		lists[list] = append(lists[list], fmt.Sprintf(format, values...))
	}
	for n, customer := range i.customers {
		add("customers", `{"uuid":%q,"name":"Customer %d of round %d"}`, customer, n, round)
		if n < len(i.organisations) {
			add("call_managing_organisations", `{"uuid":%q,"customer":%q,"description":"Round %d"}`, i.organisations[n], customer, round)
		}
	}
	for n, user := range i.users {
		add("users", `{"uuid":%q,"username":"imported-%d","full_name":"Round %d"}`, user, n, round)
		for _, o := range i.organisations {
			add("user_roles", `{"user":%q,"role":"CUSTOMER.CALL_ORGANIZER","scope":{"call_managing_organisation":%q},"expiration_time":"2027-06-0%dT00:00:00Z"}`, user, o, 1+round%9)
		}
	}
	var text []string
	for list, entries := range lists {
		if reversed {
			slices.Reverse(entries)
		}
		text = append(text, fmt.Sprintf("%q:[%s]", list, strings.Join(entries, ",")))
	}
	return "{" + strings.Join(text, ",") + "}"
}

func TestImportAgainstRequests(t *testing.T) {
	races(t, func(r *race) {
		var i imported
		for n := range 4 {
			c := r.world.Customer("Before")
			i.customers = append(i.customers, c.UUID)
			if n < 3 {
				i.organisations = append(i.organisations, r.world.Organisation(c).UUID)
			}
			i.users = append(i.users, r.world.ID())
		}
		r.load(i.file(0, false))
		for round := range raceRounds {
			other := r.world.Organisation(r.world.Customer("Other")).UUID // which no import speaks of
			requests := []request{
				r.create(i.customers[3], pictureOf(1)),
				r.patch(r.staff, i.organisations[0], jsonBody(`{"description":"Patched"}`)),
				r.patch(r.staff, i.organisations[1], parts(file("image", "a.png", "image/png", pictureOf(2)))),
				r.destroy(i.organisations[2]),
				{method: http.MethodGet, target: base + "?o=customer_name", token: r.staff},
			}
			for n, user := range i.users {
				requests = append(requests,
					r.manage("add_user", r.staff, i.organisations[n%3], user, ""), r.manage("add_user", r.staff, other, user, ""),
					r.manage("delete_user", r.staff, i.organisations[(n+1)%3], user, ""))
			}
			var imports sync.WaitGroup
			for _, reversed := range []bool{false, true} {
				imports.Go(func() { r.load(i.file(round+1, reversed)) })
			}
			answers := r.together(requests...)
			imports.Wait()
			r.statuses(answers[:1], map[int]int{201: 1})
			r.statuses(answers[1:3], map[int]int{200: 2})
			// The last one's customer had none in the file: it is made anew in each round.
			var created struct{ UUID uuid.UUID }
			if err := json.Unmarshal([]byte(answers[0].body), &created); err != nil {
				r.Error(err)
			}
			r.checkNames(round+1, append(slices.Clone(i.customers[:2]), i.customers[3]))
			r.do(r.destroy(created.UUID))
			r.checkInvariants()
		}
	})
}

// checkNames holds that organisations are found by the names that the import gave customers.
func (r *race) checkNames(round int, customers []uuid.UUID) {
	r.Helper()
	for _, c := range customers {
		got := r.do(request{method: http.MethodGet, target: base + fmt.Sprintf("?customer_uuid=%s&customer_keyword=of+round+%d", c, round), token: r.staff})
		if n := got.header.Get("X-Result-Count"); n != "1" || !strings.Contains(got.body, fmt.Sprintf(" of round %d\"", round)) {
			r.Errorf("%s organisations by the new name: %s", n, got.body)
		}
	}
}
