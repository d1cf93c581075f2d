package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

// raceRounds is how often each race is run: which request comes first is chance.
const raceRounds = 8

// race is an app to which requests are sent at once.
type race struct {
	*app
	*testing.T
	objects int // how many were made

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
		r.world.Import(t, "users:\n  - {uuid: {staff}, username: staff, is_staff: true, token: token-of-staff}\n")
		test(r)
		r.checkInvariants()
		r.checkEvents()
	})
}

// add imports an object of a kind, whose fields may hold names in braces and @ for a number of its own.
func (r *race) add(kind, fields string) uuid.UUID {
	r.Helper()
	r.objects++
	name := fmt.Sprintf("object%d", r.objects)
	r.world.Import(r.T, fmt.Sprintf("%s:\n  - {uuid: {%s}, %s}\n", kind, name, strings.ReplaceAll(fields, "@", fmt.Sprint(r.objects))))
	return r.world.IDs[name]
}

func (r *race) user() uuid.UUID     { return r.add("users", "username: user@, token: token-of-@") }
func (r *race) customer() uuid.UUID { return r.add("customers", "name: Tartu") }

func (r *race) organisation() uuid.UUID {
	return r.add("call_managing_organisations", "customer: "+r.customer().String())
}

// do sends a request, from any goroutine. Whatever it meets, it is answered.
func (r *race) do(q request) answer {
	r.mu.Lock()
	id := fmt.Sprintf("race-%d", len(r.sent))
	r.sent = append(r.sent, exchange{})
	at := len(r.sent) - 1
	r.mu.Unlock()

	q.Header = http.Header{"X-Request-Id": {id}}
	got, err := r.try(q)
	if err != nil || got.Status >= 500 {
		r.Errorf("%s %s: %v %d %s", q.Method, q.Target, err, got.Status, got.Body)
	}
	operation := "other"
	if op, ok := operationAt(q.Method, q.Target); ok {
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

// statuses checks how many answers have which status, and with what a 400 is refused.
func (r *race) statuses(answers []answer, want map[int]int, refusal string) {
	r.Helper()
	got := map[int]int{}
	for _, a := range answers {
		got[a.Status]++
		if a.Status == http.StatusBadRequest && a.Body != refusal+"\n" {
			r.Errorf("refused with %s", a.Body)
		}
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
		want := leaves[fmt.Sprint(e.operation, " ", e.Status)]
		if want == nil {
			want = []string{""}
		}
		if got := strings.Join(events[e.id], " "); !slices.Contains(want, got) {
			r.Errorf("%s was answered %d and left %q, not one of %q", e.operation, e.Status, got, want)
		}
	}
}

// rows returns the rows of a query of two columns.
func (r *race) rows(query string, values ...any) [][2]string {
	r.Helper()
	rows, err := r.sql.Query(fmt.Sprintf(query, values...))
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

// Requests of the races, by staff.

func fetch(target string) request {
	return request{Method: http.MethodGet, Target: target, Token: "token-of-staff"}
}

func patch(organisation uuid.UUID, b body) request {
	return request{Method: http.MethodPatch, Target: base + organisation.String() + "/", Token: "token-of-staff", Body: b}
}

func destroy(organisation uuid.UUID) request {
	return request{Method: http.MethodDelete, Target: base + organisation.String() + "/", Token: "token-of-staff"}
}

func create(customer uuid.UUID, image string) request {
	content := parts(text("customer", publicURL+"/api/customers/"+customer.String()+"/"), file("image", "a.png", "image/png", image))
	return request{Method: http.MethodPost, Target: base, Token: "token-of-staff", Body: content}
}

// manage is a role action; rest is what follows role and user.
func manage(action string, organisation, user uuid.UUID, rest string) request {
	return request{
		Method: http.MethodPost, Target: base + organisation.String() + "/" + action + "/", Token: "token-of-staff",
		Body: jsonBody(fmt.Sprintf(`{"role":"CUSTOMER.CALL_ORGANIZER","user":%q%s}`, user, rest)),
	}
}

func by(token string, r request) request {
	r.Token = token
	return r
}

func pictureOf(n int) string { return world.PNG(n, 1, 0) }

func TestGrantAgainstGrant(t *testing.T) {
	races(t, func(r *race) {
		o := r.organisation()
		for range raceRounds {
			// Alike: one of them is it.
			same := manage("add_user", o, r.user(), "")
			r.statuses(r.together(same, same, same, same, same, same), map[int]int{201: 1, 400: 5}, alreadyHeld)
			// Until different times: whatever the order, the longest is held in the end, and
			// none but a longer one took another's place.
			user := r.user()
			var grants []request
			for _, day := range []int{3, 6, 1, 5, 2, 4} {
				grants = append(grants, manage("add_user", o, user, fmt.Sprintf(`,"expiration_time":"2027-04-0%dT00:00:00Z"`, day)))
			}
			r.statuses(r.together(grants...)[1:2], map[int]int{201: 1}, "")
			ends := r.rows(`SELECT a.details, coalesce(CAST(g.revoked AS text), 'held') FROM user_roles AS g
				JOIN audit_events AS a ON a.object_uuid = CAST(g.uuid AS text) AND a.action = 'user_role.create'
				WHERE g.user_uuid = '%s' ORDER BY a.uuid`, user)
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
		o := r.organisation()
		for range raceRounds {
			user := r.user()
			grant, revoke := manage("add_user", o, user, ""), manage("delete_user", o, user, "")
			granted := 0
			for i, a := range r.together(grant, revoke, grant, revoke, grant, revoke) {
				switch {
				case i%2 == 1 && a.Status != http.StatusOK, i%2 == 0 && a.Status != http.StatusCreated && a.Body != alreadyHeld+"\n":
					r.Errorf("request %d: %d %s", i, a.Status, a.Body)
				case a.Status == http.StatusCreated:
					granted++
				}
			}
			events := r.rows(`SELECT a.action, a.object_uuid FROM audit_events AS a
				JOIN user_roles AS g ON a.object_uuid = CAST(g.uuid AS text) WHERE g.user_uuid = '%s' ORDER BY a.uuid`, user)
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
		for round := range raceRounds {
			c := r.customer()
			o, actor := r.add("call_managing_organisations", "customer: "+c.String()), r.user()
			token := fmt.Sprintf("token-of-%d", r.objects)
			fields := fmt.Sprintf("user: %s, role: CUSTOMER.CALL_ORGANIZER, scope: {call_managing_organisation: %s}", actor, o)
			revoke := func(uuid.UUID) { r.do(manage("delete_user", o, actor, "")) }
			if round%2 == 1 {
				fields = fmt.Sprintf("user: %s, role: CUSTOMER.OWNER, scope: {customer: %s}", actor, c)
				revoke = func(grant uuid.UUID) {
					r.world.Import(r.T, fmt.Sprintf("user_roles:\n  - {uuid: %s, %s, revoked: +0s}\n", grant, fields))
				}
			}
			grant := r.add("user_roles", fields)
			var revoked atomic.Bool
			var first, all sync.WaitGroup
			first.Add(writers)
			for range writers {
				target := r.user()
				writes := []request{by(token, manage("add_user", o, target, "")), by(token, manage("delete_user", o, target, ""))}
				all.Go(func() {
					for i := 0; ; i++ {
						late := revoked.Load()
						got := r.do(writes[i%len(writes)])
						if i == 0 {
							first.Done()
						}
						if late && got.Status != http.StatusForbidden {
							r.Errorf("a write after the revocation was answered %d %s", got.Status, got.Body)
						}
						if late || got.Status == http.StatusForbidden {
							return
						}
					}
				})
			}
			first.Wait()
			revoke(grant)
			revoked.Store(true)
			all.Wait()
			late := storetest.Count(r, r.sql, fmt.Sprintf(`SELECT count(*) FROM audit_events WHERE actor_uuid = '%s'
				AND uuid > (SELECT uuid FROM audit_events WHERE object_uuid = '%s' ORDER BY uuid DESC LIMIT 1)`, actor, grant))
			if late > 0 {
				r.Errorf("%d changes after the revocation", late)
			}
		}
	})
}

func TestCreateAgainstCreate(t *testing.T) {
	races(t, func(r *race) {
		for round := range raceRounds {
			same := create(r.customer(), pictureOf(1))
			r.statuses(r.together(same, same, same, same, same, same), map[int]int{201: 1, 400: 5}, hasOne)
			if n := storetest.Count(r, r.sql, "SELECT count(*) FROM images"); n != round+1 {
				r.Errorf("%d images of %d organisations", n, round+1)
			}
		}
	})
}

// Two imports lock the same rows the other way round, while requests change them.
func TestImportAgainstRequests(t *testing.T) {
	races(t, func(r *race) {
		free := r.customer()
		organisations := []uuid.UUID{r.organisation(), r.organisation(), r.organisation()}
		users := []uuid.UUID{r.user(), r.user(), r.user(), r.user()}
		customers := []uuid.UUID{free}
		for _, row := range r.rows("SELECT CAST(customer_uuid AS text), '' FROM call_managing_organisations ORDER BY uuid") {
			customers = append(customers, uuid.MustParse(row[0]))
		}
		load := func(round int, reversed bool) {
			lists := make([][]string, 4)
			for n, c := range customers {
				lists[0] = append(lists[0], fmt.Sprintf("{uuid: %s, name: Customer %d of round %d}", c, n, round))
			}
			for n, o := range organisations {
				lists[2] = append(lists[2], fmt.Sprintf("{uuid: %s, customer: %s, description: Round %d}", o, customers[n+1], round))
			}
			for n, user := range users {
				lists[1] = append(lists[1], fmt.Sprintf("{uuid: %s, username: imported-%d, full_name: Round %d}", user, n, round))
				for _, o := range organisations {
					lists[3] = append(lists[3], fmt.Sprintf("{user: %s, role: CUSTOMER.CALL_ORGANIZER, scope: {call_managing_organisation: %s}, expiration_time: +%dh}", user, o, 1+round))
				}
			}
			text := ""
			for i, kind := range []string{"customers", "users", "call_managing_organisations", "user_roles"} {
				if reversed {
					slices.Reverse(lists[i])
				}
				text += kind + ":\n  - " + strings.Join(lists[i], "\n  - ") + "\n"
			}
			r.world.Import(r.T, text)
		}
		load(0, false)
		for round := 1; round <= raceRounds; round++ {
			other := r.organisation() // which no import speaks of
			requests := []request{
				create(free, pictureOf(1)),
				patch(organisations[0], jsonBody(`{"description":"Patched"}`)),
				patch(organisations[1], parts(file("image", "a.png", "image/png", pictureOf(2)))),
				destroy(organisations[2]),
				fetch(base + "?o=customer_name"),
			}
			for n, user := range users {
				requests = append(requests, manage("add_user", organisations[n%3], user, ""), manage("add_user", other, user, ""),
					manage("delete_user", organisations[(n+1)%3], user, ""))
			}
			var imports sync.WaitGroup
			for _, reversed := range []bool{false, true} {
				imports.Go(func() { load(round, reversed) })
			}
			answers := r.together(requests...)
			imports.Wait()
			r.statuses(answers[:3], map[int]int{200: 2, 201: 1}, "")
			// Organisations are found by the names that the import gave customers.
			for _, c := range customers[:3] {
				got := r.do(fetch(base + fmt.Sprintf("?customer_uuid=%s&customer_keyword=of+round+%d", c, round)))
				if n := got.Header.Get("X-Result-Count"); n != "1" || !strings.Contains(got.Body, fmt.Sprintf(" of round %d\"", round)) {
					r.Errorf("%s organisations by the new name: %s", n, got.Body)
				}
			}
			// The file has no organisation of this customer: it is made anew in each round.
			r.do(destroy(uuid.MustParse(strings.TrimSuffix(answers[0].Header.Get("Location")[len(publicURL+base):], "/"))))
			r.checkInvariants()
		}
	})
}
