package server_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// raceRounds is how often each race is run: which request comes first is chance.
const raceRounds = 8

// race is an app to which requests are sent at once.
type race struct {
	*app
	*testing.T
	world *storetest.World
	role  store.Role // of organisations
	staff string     // a token

	mu   sync.Mutex
	sent []exchange
}

// exchange is a request, which has an id of its own, and its answer.
type exchange struct {
	id        string
	operation string
	answer
}

// races runs a test on each engine and checks afterwards what holds whatever came first.
func races(t *testing.T, test func(r *race)) {
	storetest.Each(t, func(t *testing.T, engine string) {
		r := &race{app: start(t, engine), T: t}
		r.world = storetest.NewWorld(t, r.store)
		r.role = r.world.Role("CUSTOMER.CALL_ORGANIZER")
		r.staff = r.world.Token(r.world.User("staff", func(u *store.User) { u.IsStaff = true }))
		test(r)
		r.checkInvariants()
		r.checkEvents()
	})
}

// do sends a request, from any goroutine. Whatever it meets, it is answered.
func (r *race) do(q request) answer {
	r.mu.Lock()
	id := fmt.Sprintf("race-%d", len(r.sent))
	r.sent = append(r.sent, exchange{})
	at := len(r.sent) - 1
	r.mu.Unlock()

	q.header = http.Header{"X-Request-Id": {id}}
	got, err := r.try(q)
	if err != nil {
		r.Errorf("%s %s: %v", q.method, q.target, err)
	}
	if got.status >= 500 {
		r.Errorf("%s %s: %d %s", q.method, q.target, got.status, got.body)
	}
	operation := "other"
	if op, ok := operationAt(q.method, q.target); ok {
		operation = strings.TrimPrefix(op.OperationID, "call_managing_organisations_")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[at] = exchange{id, operation, got}
	return got
}

// together sends requests at once and returns the answers in their order.
func (r *race) together(requests ...request) []answer {
	answers := make([]answer, len(requests))
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i, q := range requests {
		all.Go(func() {
			<-begin
			answers[i] = r.do(q)
		})
	}
	close(begin)
	all.Wait()
	return answers
}

// statuses checks how many answers have which status.
func (r *race) statuses(answers []answer, want map[int]int) {
	r.Helper()
	got := map[int]int{}
	for _, a := range answers {
		got[a.status]++
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.Errorf("statuses and how often: %v, want %v", got, want)
	}
}

// broken counts what must not be there, whatever was sent.
var broken = map[string]string{
	"the counter is another number than there are organisations": `SELECT count(*) FROM counters
		WHERE name = 'call_managing_organisations' AND value <> (SELECT count(*) FROM call_managing_organisations)`,
	"a role is held twice": `SELECT count(*) FROM (SELECT 1 FROM user_roles WHERE revoked IS NULL
		GROUP BY user_uuid, role_uuid, customer_uuid, organisation_uuid HAVING count(*) > 1) AS twice`,
	"a role is held on nothing": `SELECT count(*) FROM user_roles WHERE organisation_uuid IS NOT NULL
		AND organisation_uuid NOT IN (SELECT uuid FROM call_managing_organisations)`,
	"an image is nobody's": `SELECT count(*) FROM images WHERE uuid NOT IN (SELECT image_uuid FROM call_managing_organisations WHERE image_uuid IS NOT NULL)`,
	"an organisation shows something else than its customer": storetest.OutOfStep,
	"a grant's events tell something else": `SELECT count(*) FROM user_roles AS g WHERE organisation_uuid IS NOT NULL
		AND ((SELECT count(*) FROM audit_events AS a WHERE a.object_uuid = CAST(g.uuid AS text) AND a.action = 'user_role.revoke') <> CASE WHEN revoked IS NULL THEN 0 ELSE 1 END
		OR (SELECT count(*) FROM audit_events AS a WHERE a.object_uuid = CAST(g.uuid AS text) AND a.action IN ('user_role.create', 'user_role.import')) = 0)`,
}

func (r *race) checkInvariants() {
	r.Helper()
	for what, query := range broken {
		if n := storetest.Count(r, r.sql, query); n > 0 {
			r.Errorf("%s (%d)", what, n)
		}
	}
	for line := range strings.Lines(r.log.take()) {
		if !strings.Contains(line, `"level":"INFO"`) || strings.Contains(line, "locked") {
			r.Errorf("the log: %s", line)
		}
	}
}

// leaves are the audit events of each acknowledged change; where there are two ways, which of
// them depends on what came before. Whatever is not here leaves nothing.
var leaves = map[string][]string{
	"create 201":         {"call_managing_organisation.create"},
	"partial_update 200": {"call_managing_organisation.update"},
	"destroy 204":        {"call_managing_organisation.delete"},
	"add_user 201":       {"user_role.create", "user_role.revoke user_role.create"},
	"delete_user 200":    {"", "user_role.revoke"},
}

// checkEvents holds that what was acknowledged was done, once, and nothing else.
func (r *race) checkEvents() {
	r.Helper()
	events := map[string][]string{}
	for _, row := range r.rows("SELECT request_id, action FROM audit_events WHERE request_id <> '' ORDER BY uuid") {
		events[row[0]] = append(events[row[0]], row[1])
	}
	for _, e := range r.sent {
		want := leaves[fmt.Sprint(e.operation, " ", e.status)]
		if want == nil {
			want = []string{""}
		}
		if got := strings.Join(events[e.id], " "); !slices.Contains(want, got) {
			r.Errorf("%s was answered %d and left %q, not one of %q", e.operation, e.status, got, want)
		}
	}
}

// rows returns the rows of a query of two columns.
func (r *race) rows(query string) [][2]string {
	r.Helper()
	rows, err := r.sql.Query(query)
	if err != nil {
		r.Fatal(err)
	}
	defer rows.Close()
	var list [][2]string
	for rows.Next() {
		var row [2]string
		if err := rows.Scan(&row[0], &row[1]); err != nil {
			r.Fatal(err)
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		r.Fatal(err)
	}
	return list
}

// Requests of the races.

func (r *race) patch(token string, organisation uuid.UUID, b body) request {
	return request{method: http.MethodPatch, target: base + organisation.String() + "/", token: token, body: b}
}

func (r *race) destroy(organisation uuid.UUID) request {
	return request{method: http.MethodDelete, target: base + organisation.String() + "/", token: r.staff}
}

func (r *race) create(customer uuid.UUID, image string) request {
	content := parts(text("customer", publicURL+"/api/customers/"+customer.String()+"/"), file("image", "a.png", "image/png", image))
	return request{method: http.MethodPost, target: base, token: r.staff, body: content}
}

// manage is a role action; rest is what follows role and user.
func (r *race) manage(action, token string, organisation, user uuid.UUID, rest string) request {
	return request{
		method: http.MethodPost, target: base + organisation.String() + "/" + action + "/", token: token,
		body: jsonBody(fmt.Sprintf(`{"role":%q,"user":%q%s}`, r.role.Name, user, rest)),
	}
}

// pictureOf is a PNG file of n pixels.
func pictureOf(n int) string {
	return encoded(func(b *bytes.Buffer) error { return png.Encode(b, image.NewGray(image.Rect(0, 0, n, 1))) })
}

func TestGrantAgainstGrant(t *testing.T) {
	races(t, func(r *race) {
		o := r.world.Organisation(r.world.Customer("Tartu")).UUID
		for range raceRounds {
			// Alike: one of them is it.
			user := r.world.User("alike-" + r.world.ID().String()).UUID
			same := r.manage("add_user", r.staff, o, user, "")
			answers := r.together(same, same, same, same, same, same)
			r.statuses(answers, map[int]int{201: 1, 400: 5})
			for _, a := range answers {
				if a.status == 400 && a.body != alreadyHeld+"\n" {
					r.Errorf("refused with %s", a.body)
				}
			}
			// Until different times: whatever the order, the longest is held in the end, and
			// none but a longer one took another's place.
			user = r.world.User("longer-" + r.world.ID().String()).UUID
			var grants []request
			for _, day := range []int{3, 6, 1, 5, 2, 4} {
				grants = append(grants, r.manage("add_user", r.staff, o, user, fmt.Sprintf(`,"expiration_time":"2027-04-0%dT00:00:00Z"`, day)))
			}
			if longest := r.together(grants...)[1]; longest.status != http.StatusCreated {
				r.Errorf("the longest was refused: %d %s", longest.status, longest.body)
			}
			ends := r.rows(fmt.Sprintf(`SELECT a.details, coalesce(CAST(g.revoked AS text), 'held') FROM user_roles AS g
				JOIN audit_events AS a ON a.object_uuid = CAST(g.uuid AS text) AND a.action = 'user_role.create'
				WHERE g.user_uuid = '%s' ORDER BY a.uuid`, user))
			for i, end := range ends {
				last := i == len(ends)-1
				if i > 0 && end[0] <= ends[i-1][0] || last != (end[1] == "held") || last && end[0] != "until 2027-04-06T00:00:00Z" {
					r.Errorf("one after another were granted: %v", ends)
				}
			}
		}
	})
}

func TestGrantAgainstRevoke(t *testing.T) {
	races(t, func(r *race) {
		o := r.world.Organisation(r.world.Customer("Tartu")).UUID
		for range raceRounds {
			user := r.world.User("user-" + r.world.ID().String()).UUID
			grant, revoke := r.manage("add_user", r.staff, o, user, ""), r.manage("delete_user", r.staff, o, user, "")
			granted := 0
			for i, a := range r.together(grant, revoke, grant, revoke, grant, revoke) {
				switch {
				case i%2 == 1 && a.status != http.StatusOK, i%2 == 0 && a.status != http.StatusCreated && a.body != alreadyHeld+"\n":
					r.Errorf("request %d: %d %s", i, a.status, a.body)
				case a.status == http.StatusCreated:
					granted++
				}
			}
			events := r.rows(fmt.Sprintf(`SELECT a.action, a.object_uuid FROM audit_events AS a
				JOIN user_roles AS g ON a.object_uuid = CAST(g.uuid AS text) WHERE g.user_uuid = '%s' ORDER BY a.uuid`, user))
			for i, event := range events {
				if want := []string{"user_role.create", "user_role.revoke"}[i%2]; event[0] != want || i%2 == 1 && event[1] != events[i-1][1] {
					r.Errorf("one after another happened: %v", events)
				}
			}
			if created := (len(events) + 1) / 2; created != granted {
				r.Errorf("%d grants were acknowledged, %d made", granted, created)
			}
		}
	})
}

// Whose right is revoked while they write has no write acknowledged that was begun after the
// revocation was, and none that comes after it in the database.
func TestRevokeAgainstTheActorsWrites(t *testing.T) {
	const writers = 3
	races(t, func(r *race) {
		owner := r.world.Role("CUSTOMER.OWNER")
		tests := map[string]func(o store.CallManagingOrganisation, actor store.User) (store.UserRole, func()){
			"an organizer's, by a request": func(o store.CallManagingOrganisation, actor store.User) (store.UserRole, func()) {
				return r.world.Grant(actor, r.role, o), func() { r.do(r.manage("delete_user", r.staff, o.UUID, actor.UUID, "")) }
			},
			"an owner's, by an import": func(o store.CallManagingOrganisation, actor store.User) (store.UserRole, func()) {
				grant := r.world.GrantOnCustomer(actor, owner, store.Customer{UUID: o.CustomerUUID})
				revoked := fmt.Sprintf(`{"user_roles":[{"uuid":%q,"user":%q,"role":"CUSTOMER.OWNER","scope":{"customer":%q},"revoked":%q}]}`,
					grant.UUID, actor.UUID, o.CustomerUUID, r.clock.Now().Format(time.RFC3339Nano))
				return grant, func() { r.load(revoked) }
			},
		}
		for name, prepare := range tests {
			for range raceRounds / 2 {
				o := r.world.Organisation(r.world.Customer("Tartu"))
				actor := r.world.User("actor-" + r.world.ID().String())
				token := r.world.Token(actor)
				grant, revoke := prepare(o, actor)
				var revoked atomic.Bool
				var first, all sync.WaitGroup
				first.Add(writers)
				for range writers {
					target := r.world.User("target-" + r.world.ID().String()).UUID
					writes := []request{r.manage("add_user", token, o.UUID, target, ""), r.manage("delete_user", token, o.UUID, target, "")}
					if strings.HasPrefix(name, "an owner") {
						writes = append(writes, r.patch(token, o.UUID, jsonBody(`{"description":"mine"}`)))
					}
					all.Go(func() {
						for i := 0; ; i++ {
							late := revoked.Load()
							got := r.do(writes[i%len(writes)])
							if i == 0 {
								first.Done()
							}
							if late && got.status != http.StatusForbidden {
								r.Errorf("%s: a write after it was answered %d %s", name, got.status, got.body)
							}
							if late || got.status == http.StatusForbidden {
								return
							}
						}
					})
				}
				first.Wait()
				revoke()
				revoked.Store(true)
				all.Wait()
				late := storetest.Count(r, r.sql, fmt.Sprintf(`SELECT count(*) FROM audit_events WHERE actor_uuid = '%s'
					AND uuid > (SELECT uuid FROM audit_events WHERE object_uuid = '%s' ORDER BY uuid DESC LIMIT 1)`, actor.UUID, grant.UUID))
				if late > 0 {
					r.Errorf("%s: %d changes after it", name, late)
				}
			}
		}
	})
}

func TestCreateAgainstCreate(t *testing.T) {
	races(t, func(r *race) {
		for round := range raceRounds {
			c := r.world.Customer("Tartu").UUID
			var creates []request
			for i := range 6 {
				creates = append(creates, r.create(c, pictureOf(i+1)))
			}
			answers := r.together(creates...)
			r.statuses(answers, map[int]int{201: 1, 400: 5})
			for _, a := range answers {
				if a.status == 400 && a.body != hasOne+"\n" {
					r.Errorf("refused with %s", a.body)
				}
			}
			if n := storetest.Count(r, r.sql, "SELECT count(*) FROM images"); n != round+1 {
				r.Errorf("%d images of %d organisations", n, round+1)
			}
		}
	})
}

func TestDeleteAgainstGrant(t *testing.T) {
	races(t, func(r *race) {
		for round := range raceRounds {
			o := r.world.Organisation(r.world.Customer("Doomed")).UUID
			var requests []request
			for range 4 {
				requests = append(requests, r.manage("add_user", r.staff, o, r.world.User("user-"+r.world.ID().String()).UUID, ""))
			}
			at := round % 4
			requests = slices.Insert(requests, at, r.destroy(o), r.destroy(o))
			answers := r.together(requests...)
			r.statuses(answers[at:at+2], map[int]int{204: 1, 404: 1})
			for _, a := range slices.Delete(answers, at, at+2) {
				if a.status != http.StatusCreated && a.status != http.StatusNotFound {
					r.Errorf("a grant: %d %s", a.status, a.body)
				}
			}
			gone := r.do(request{method: http.MethodGet, target: base + o.String() + "/", token: r.staff})
			r.statuses([]answer{gone}, map[int]int{404: 1})
		}
	})
}
