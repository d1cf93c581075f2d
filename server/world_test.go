package server_test

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// The scenarios' world. Every object has a short name, which in requests and answers stands in
// braces for its id: {tartu} is an organisation, {tartu.customer} its customer, {sam} a user.
//
//	customer              its organisation   beside that
//	100%_\ "O'Brien"      percent            no calls; nobody holds a role on it
//	University of Tartu   tartu              every field filled; calls of every state; members
//	zagreb                zagreb             every field empty that may be; no calls
//	Ångström Institute    angstrom           the customer is blocked
//	Free University       none (free)        may become an organisation
//	Blocked, Archived     none               the customer is blocked, or archived
//
//	sam   staff           olev  CUSTOMER.OWNER of tartu's, zagreb's and angstrom's customers
//	sue   support         mari  CUSTOMER.MANAGER of tartu's customer
//	bob   no role         carl  CUSTOMER.CALL_ORGANIZER of tartu, granted by olev; no e-mail; an image
//	ines  not active      nora  HELPER of tartu until this very moment
//	                      jyrg  HELPER and CUSTOMER.CALL_ORGANIZER of tartu until the end of February
//	                      reg   REGISTRAR of the customers of tartu and of those without organisation
//
// These hold or held a role on tartu and are no members: ines, who is not active (nor is RETIRED); erik, whose
// role expired a microsecond ago; rita, whose role was revoked. Everybody's token is token-of-<name>.
var names = map[string]uuid.UUID{}

// id returns the id of a named object, the same in every run: the letter tells kinds apart.
func id(kind byte, name string) uuid.UUID {
	if known, ok := names[name]; ok {
		return known
	}
	names[name] = uuid.MustParse(fmt.Sprintf("%c0000000-0000-4000-8000-%012x", kind, len(names)+1))
	return names[name]
}

var (
	now      = storetest.NewClock().Now() // 2027-01-31T12:30:45.123456Z
	february = time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)

	customers = []store.Customer{
		{UUID: id('c', "percent.customer"), Name: `100%_\ "O'Brien"`},
		{UUID: id('c', "tartu.customer"), Name: "University of Tartu", Abbreviation: "UT", NativeName: "Tartu Ülikool", Country: "EE"},
		{UUID: id('c', "zagreb.customer"), Name: "zagreb"},
		{UUID: id('c', "angstrom.customer"), Name: "Ångström Institute", Blocked: true},
		{UUID: id('c', "free.customer"), Name: "Free University"},
		{UUID: id('c', "blocked.customer"), Name: "Blocked", Blocked: true},
		{UUID: id('c', "archived.customer"), Name: "Archived", Archived: true},
	}
	organisations = []store.CallManagingOrganisation{
		{UUID: id('0', "percent"), CustomerUUID: id('c', "percent.customer"), Description: "Über <alles> & more", Created: now},
		{UUID: id('0', "tartu"), CustomerUUID: id('c', "tartu.customer"), Description: "Calls of Tartu", Created: now.Add(-time.Hour).Truncate(100 * time.Millisecond)},
		{UUID: id('0', "zagreb"), CustomerUUID: id('c', "zagreb.customer"), Created: now.Truncate(time.Second)},
		{UUID: id('0', "angstrom"), CustomerUUID: id('c', "angstrom.customer"), Created: now},
	}
	users = []store.User{
		{UUID: id('e', "sam"), Username: "sam", FullName: "Sam Staff", IsStaff: true, IsActive: true},
		{UUID: id('e', "sue"), Username: "sue", FullName: "Sue Support", IsSupport: true, IsActive: true},
		{UUID: id('e', "bob"), Username: "bob", FullName: "Bob Builder", IsActive: true},
		{UUID: id('e', "ines"), Username: "ines", FullName: "Ines Inactive"},
		{UUID: id('e', "olev"), Username: "olev", FullName: "Olev Owner", IsActive: true},
		{UUID: id('e', "mari"), Username: "mari", FullName: "Mari Manager", IsActive: true},
		{UUID: id('e', "carl"), Username: "carl", FullName: "Carl Clerk", Slug: "the-clerk", IsActive: true},
		{UUID: id('e', "nora"), Username: "nora", FullName: "Nora 50%_\\", NativeName: "Нора", Email: "Nora@example.com", IsActive: true},
		{UUID: id('e', "jyrg"), Username: "jyrg", FullName: "Jürgen Müller", NativeName: "Jürgen", Email: "not an address", IsActive: true},
		{UUID: id('e', "erik"), Username: "erik", FullName: "Erik Expired", IsActive: true},
		{UUID: id('e', "rita"), Username: "rita", FullName: "Rita Revoked", IsActive: true},
		{UUID: id('e', "reg"), Username: "reg", FullName: "Reg Registrar", IsActive: true},
	}
	roles = []store.Role{
		{UUID: id('b', "HELPER"), Name: "HELPER", Scope: store.ScopeOrganisation, IsActive: true},
		{UUID: id('b', "RETIRED"), Name: "RETIRED", Scope: store.ScopeOrganisation},
		{UUID: id('b', "REGISTRAR"), Name: "REGISTRAR", Scope: store.ScopeCustomer, IsActive: true, Permissions: []string{"SERVICE_PROVIDER.REGISTER"}},
	}
	builtin = map[string]uuid.UUID{
		"CUSTOMER.OWNER":          uuid.MustParse("00000000-0000-4000-8000-000000000001"),
		"CUSTOMER.MANAGER":        uuid.MustParse("00000000-0000-4000-8000-000000000002"),
		"CUSTOMER.SUPPORT":        uuid.MustParse("00000000-0000-4000-8000-000000000003"),
		"CUSTOMER.CALL_ORGANIZER": uuid.MustParse("00000000-0000-4000-8000-000000000004"),
	}
	grants = []store.UserRole{
		held("olev", "CUSTOMER.OWNER", "tartu.customer"),
		held("olev", "CUSTOMER.OWNER", "zagreb.customer"),
		held("olev", "CUSTOMER.OWNER", "angstrom.customer"),
		held("mari", "CUSTOMER.MANAGER", "tartu.customer"),
		held("reg", "REGISTRAR", "tartu.customer"),
		held("reg", "REGISTRAR", "free.customer"),
		held("reg", "REGISTRAR", "blocked.customer"),
		held("reg", "REGISTRAR", "archived.customer"),
		held("carl", "CUSTOMER.CALL_ORGANIZER", "tartu", since(-5*time.Hour), by("olev")),
		held("jyrg", "HELPER", "tartu", since(-4*time.Hour), until(february)),
		held("nora", "HELPER", "tartu", since(-3*time.Hour), until(now)),
		held("jyrg", "CUSTOMER.CALL_ORGANIZER", "tartu", since(-2*time.Hour), until(february)),
		held("ines", "HELPER", "tartu"),
		held("ines", "RETIRED", "tartu"),
		held("erik", "HELPER", "tartu", until(now.Add(-time.Microsecond))),
		held("rita", "HELPER", "tartu", func(g *store.UserRole) { g.Revoked = &g.Created }),
		held("carl", "CUSTOMER.CALL_ORGANIZER", "angstrom"),
	}
	calls, rounds, proposals, reviews, offerings = activity()
)

func since(ago time.Duration) func(*store.UserRole) {
	return func(g *store.UserRole) { g.Created = now.Add(ago) }
}

func until(end time.Time) func(*store.UserRole) {
	return func(g *store.UserRole) { g.ExpirationTime = &end }
}

func by(user string) func(*store.UserRole) {
	return func(g *store.UserRole) { creator := names[user]; g.CreatedByUUID = &creator }
}

// held is a grant, named user:role:scope.
func held(user, role, scope string, changes ...func(*store.UserRole)) store.UserRole {
	roleUUID, ok := builtin[role]
	if !ok {
		roleUUID = names[role]
	}
	g := store.UserRole{UUID: id('f', user+":"+role+":"+scope), UserUUID: names[user], RoleUUID: roleUUID, Created: now.Add(-6 * time.Hour)}
	object := names[scope]
	if strings.HasSuffix(scope, ".customer") {
		g.CustomerUUID = &object
	} else {
		g.OrganisationUUID = &object
	}
	for _, change := range changes {
		change(&g)
	}
	return g
}

// fill writes the world, all of it in one transaction, and returns what stands for the names
// in braces. The ids of images are not ours to choose.
func fill(t testing.TB, a *app) *strings.Replacer {
	t.Helper()
	err := a.store.Write(context.Background(), store.Actor{}, func(tx *store.Tx) error {
		tokens := make([]store.Token, 0, len(users)+1)
		for _, u := range users {
			tokens = append(tokens, store.Token{Digest: store.Digest("token-of-" + u.Username), UserUUID: u.UUID})
		}
		past, present := now.Add(-time.Microsecond), now
		tokens = append(tokens,
			store.Token{Digest: store.Digest("expired-token-of-bob"), UserUUID: names["bob"], Expires: &past},
			store.Token{Digest: store.Digest("expired-token-of-ines"), UserUUID: names["ines"], Expires: &past},
			store.Token{Digest: store.Digest("token-of-bob-until-now"), UserUUID: names["bob"], Expires: &present},
			store.Token{Digest: store.Digest("~!" + strings.Repeat("x", 253)), UserUUID: names["bob"]})
		image := func(owner store.ImageOwner, object string) error {
			return tx.ImportImage(owner, names[object], storetest.Picture(object))
		}
		return cmp.Or(
			tx.ImportCustomers(clone(customers)), tx.ImportUsers(clone(users)), tx.ImportTokens(tokens), tx.ImportRoles(clone(roles)),
			tx.ImportOrganisations(clone(organisations)), tx.ImportUserRoles(clone(grants)),
			tx.ImportCalls(clone(calls)), tx.ImportRounds(clone(rounds)), tx.ImportProposals(clone(proposals)), tx.ImportReviews(clone(reviews)),
			tx.ImportRequestedOfferings(clone(offerings)),
			image(store.OrganisationImage, "tartu"), image(store.CustomerImage, "tartu.customer"), image(store.UserImage, "carl"))
	})
	if err != nil {
		t.Fatal(err)
	}
	pairs := []string{"{api}", publicURL + strings.TrimSuffix(base, "/"), "{media}", publicURL + "/api/media", "…/", base}
	for name, id := range names {
		// For who reads ids in other spellings: {tartu:hex} and {tartu:UPPER}.
		pairs = append(pairs, "{"+name+"}", id.String(), "{"+name+":hex}", hex.EncodeToString(id[:]), "{"+name+":UPPER}", strings.ToUpper(id.String()))
	}
	for name, id := range builtin {
		pairs = append(pairs, "{"+name+"}", id.String(), "{"+name+":hex}", hex.EncodeToString(id[:]))
	}
	for name, query := range map[string]string{
		"tartu.image":          "SELECT image_uuid FROM call_managing_organisations WHERE image_uuid IS NOT NULL",
		"tartu.customer.image": "SELECT image_uuid FROM customers WHERE image_uuid IS NOT NULL",
		"carl.image":           "SELECT image_uuid FROM users WHERE image_uuid IS NOT NULL",
	} {
		var text string
		if err := a.sql.QueryRow(query).Scan(&text); err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, "{"+name+"}", text)
	}
	return strings.NewReplacer(pairs...)
}

// clone keeps what the store fills in out of the table above.
func clone[T any](rows []T) []T { return append([]T(nil), rows...) }

// activity is what goes on in tartu's calls: in its two active calls a little of everything
// that counts, beside what just does not count; in a draft and in an archived call what would.
func activity() (calls []store.Call, rounds []store.Round, proposals []store.Proposal, reviews []store.Review, offerings []store.RequestedOffering) {
	next := 0
	newID := func(name string) uuid.UUID { next++; return id('d', fmt.Sprintf("%s %d", name, next)) }
	week := now.Add(7 * 24 * time.Hour)
	tick := time.Microsecond
	spans := [][2]time.Time{
		{now.Add(-time.Hour), now.Add(-tick)},                // over
		{now.Add(-time.Hour), now},                           // active and closing: this is its last moment
		{now, week.Add(tick)},                                // active: this is its first moment
		{now.Add(tick), week},                                // closing, not begun
		{now.Add(tick), now.Add(2 * tick)},                   // closing, not begun
		{week.Add(tick), week.Add(time.Hour)},                // neither
		{now.Add(-1000 * time.Hour), now.Add(time.Hour * 1)}, // active and closing
	}
	for _, state := range []string{"active", "active", "draft", "archived"} {
		call := store.Call{UUID: newID("call"), OrganisationUUID: names["tartu"], Name: "Call", State: state}
		if len(calls) == 1 { // the second active call has only rounds that don't close soon
			round := store.Round{UUID: newID("round"), CallUUID: call.UUID, StartTime: spans[2][0], CutoffTime: spans[2][1]}
			calls, rounds = append(calls, call), append(rounds, round)
			continue
		}
		calls = append(calls, call)
		for _, span := range spans {
			rounds = append(rounds, store.Round{UUID: newID("round"), CallUUID: call.UUID, StartTime: span[0], CutoffTime: span[1]})
		}
		last := rounds[len(rounds)-1]
		for _, proposalState := range []string{"draft", "team_verification", "submitted", "in_review", "in_review", "accepted", "accepted", "rejected", "canceled"} {
			proposals = append(proposals, store.Proposal{UUID: newID("proposal"), RoundUUID: last.UUID, Name: "Proposal", State: proposalState})
		}
		for _, reviewState := range []string{"created", "created", "created", "in_review", "submitted", "rejected"} {
			reviews = append(reviews, store.Review{UUID: newID("review"), ProposalUUID: proposals[len(proposals)-1].UUID, ReviewerUUID: names["bob"], State: reviewState})
		}
		for _, offeringState := range []string{"requested", "accepted", "canceled"} {
			offerings = append(offerings, store.RequestedOffering{UUID: newID("offering"), CallUUID: call.UUID, Offering: "Offering", State: offeringState})
		}
	}
	return calls, rounds, proposals, reviews, offerings
}
