package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

const noUser = `{"detail":"No User matches the given query."}`

// shownUser is how the API shows users of the world to those who see little of them.
var shownUser = map[string]string{
	"bob":  userFields("bob", "bob", "Bob Builder", "null"),
	"carl": userFields("carl", "the-clerk", "Carl Clerk", `"{media}/{carl.image}/"`),
}

// userFields are the fields of a user that everybody sees who sees the user.
func userFields(username, slug, firstName, image string) string {
	return fmt.Sprintf(`{"url":"https://calls.example.com/api/users/{%[1]s}/","uuid":"{%[1]s}","username":"%[1]s","slug":"%[2]s","full_name":"%[3]s","first_name":"%[3]s",`+
		`"last_name":"","native_name":"","image":%[4]s,"date_joined":"2027-01-31T12:30:45.123456Z","agreement_date":"2027-01-31T12:30:45.123456Z"`, username, slug, firstName, image)
}

// samFields are all that staff see of a member of staff, with what only they themselves see.
const samFields = `{"url":"https://calls.example.com/api/users/{sam}/","uuid":"{sam}","username":"sam","slug":"sam","full_name":"Sam Staff","first_name":"Sam","last_name":"Staff",` +
	`"native_name":"Сам","email":"sam@example.com","image":"{media}/{sam.image}/","is_staff":true,"is_support":false,"is_active":true,` +
	`"date_joined":"2027-01-31T12:30:45.123456Z","agreement_date":"2027-01-31T12:30:45.123456Z","token":"token-of-sam","token_expires_at":"2099-01-01T00:00:00Z","permissions":[]}`

// carlOnTartu is a role of carl's as users who may see it do.
const carlOnTartu = `{"user_uuid":"{carl}","user_name":"Carl Clerk","user_slug":"the-clerk","created":"2027-01-31T07:30:45.123456Z","expiration_time":null,` +
	`"created_by_full_name":"Olev Owner","created_by_username":"olev","role_name":"CUSTOMER.CALL_ORGANIZER","role_description":"Organization call organizer",` +
	`"role_uuid":"{CUSTOMER.CALL_ORGANIZER}","scope_type":"call_organizer","scope_uuid":"{tartu}","scope_name":"University of Tartu",` +
	`"customer_uuid":"{tartu.customer}","customer_name":"University of Tartu"}`

// carlOnAngstrom is another role of carl's. Nobody knows who granted it.
const carlOnAngstrom = `{"user_uuid":"{carl}","user_name":"Carl Clerk","user_slug":"the-clerk","created":"2027-01-31T06:30:45.123456Z","expiration_time":null,` +
	`"role_name":"CUSTOMER.CALL_ORGANIZER","role_description":"Organization call organizer","role_uuid":"{CUSTOMER.CALL_ORGANIZER}",` +
	`"scope_type":"call_organizer","scope_uuid":"{angstrom}","scope_name":"Ångström Institute","customer_uuid":"{angstrom.customer}","customer_name":"Ångström Institute"}`

// usersNamed is a list of users of which only the usernames are shown.
func usersNamed(names ...string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = `{"username":"` + name + `"}`
	}
	return "[" + strings.Join(shown, ",") + "]"
}

// findUsers is a query of users and whom it finds.
func findUsers(as, query string, found ...string) scenario {
	return scenario{name: as + " ?" + query, as: as, request: "GET /api/users/?page_size=20&field=username&" + query, status: 200, want: usersNamed(found...)}
}

// refuseUsers is a query of users that is wrong in one parameter.
func refuseUsers(query, field, text string) scenario {
	return scenario{name: "wrong: ?" + query, request: "GET /api/users/?" + query, status: 400, want: fmt.Sprintf(`{%q:[%q]}`, field, text)}
}

// All users of the world, in the order of their names.
var everybody = []string{"bob", "carl", "erik", "ines", "jyrg", "mari", "nora", "olev", "reg", "rita", "sam", "sue"}

var userScenarios = []scenario{
	{name: "a page of users", request: "GET /api/users/?page_size=2&page=6&o=full_name&field=uuid,username", status: 200,
		want: `[{"uuid":"{sam}","username":"sam"},{"uuid":"{sue}","username":"sue"}]`,
		headers: map[string]string{"X-Result-Count": "12", "Link": `<https://calls.example.com/api/users/?field=uuid%2Cusername&o=full_name&page_size=2>; rel="first", ` +
			`<https://calls.example.com/api/users/?field=uuid%2Cusername&o=full_name&page=5&page_size=2>; rel="prev", ` +
			`<https://calls.example.com/api/users/?field=uuid%2Cusername&o=full_name&page=6&page_size=2>; rel="last"`}},
	{name: "a page past the end", request: "GET /api/users/?page=3", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "every field", request: "GET /api/users/?username=sam", status: 200, want: "[" + samFields + "]"},

	// Who sees whom.
	findUsers("sam", "", everybody...),
	findUsers("sue", "", everybody...),
	findUsers("bob", "", "bob"),
	findUsers("rita", "", "rita"), // her role was revoked
	findUsers("erik", "", "erik"), // his role expired
	findUsers("carl", "", "carl", "ines", "jyrg", "nora"),
	findUsers("mari", "", "carl", "ines", "jyrg", "mari", "nora", "olev", "reg"),
	findUsers("olev", "", "carl", "ines", "jyrg", "mari", "nora", "olev", "reg"),
	{name: "a list by a user without a role", as: "bob", request: "GET /api/users/", status: 200,
		want: "[" + shownUser["bob"] + `,"token":"token-of-bob","token_expires_at":null,"permissions":[]}]`},

	// Filters.
	findUsers("sam", "username=nora", "nora"),
	findUsers("sam", "username=nor"),
	findUsers("sam", "full_name=MULLER", "jyrg"),
	findUsers("sam", "full_name=Sam+Staff", "sam"),
	findUsers("sam", "native_name=j%C3%BCrgen", "jyrg"),
	findUsers("sam", "email=EXAMPLE", "jyrg", "nora", "reg", "sam"),
	findUsers("sam", "user_keyword=notes", "jyrg"),
	findUsers("sam", "query=%D0%BD%D0%BE%D1%80%D0%B0", "nora"), // нора
	findUsers("sam", "query=m&user_keyword=mari", "mari"),
	findUsers("sam", "full_name=%25", "nora"),
	findUsers("sam", "full_name=&email=&query=&user_keyword=&username=&native_name=", everybody...),
	findUsers("sam", "is_active=false", "ines"),
	findUsers("sam", "is_staff=true", "sam"),
	findUsers("sam", "is_support=true&is_staff=false", "sue"),
	findUsers("sam", "customer_uuid={tartu.customer}", "carl", "ines", "jyrg", "mari", "nora", "olev", "reg"),
	findUsers("sam", "customer_uuid={free.customer}", "reg"),
	findUsers("sam", "customer_uuid={tartu}"),
	findUsers("mari", "customer_uuid={tartu.customer}", "carl", "ines", "jyrg", "mari", "nora", "olev", "reg"),
	findUsers("mari", "customer_uuid={free.customer}"), // mari does not see who holds roles there
	findUsers("olev", "email=notes", "jyrg"),
	findUsers("mari", "email=notes"), // mari does not see the address
	findUsers("carl", "query=example"),
	findUsers("sam", "o=-username&is_active=true&user_keyword=ri", "rita", "mari", "erik"),
	findUsers("sam", "o=email&email=example", "nora", "jyrg", "reg", "sam"),
	findUsers("mari", "o=-email&full_name=er", "carl", "jyrg", "mari", "olev"),
	findUsers("sam", "o=is_staff,-username&full_name=s", "sue", "reg", "ines", "sam"),
	findUsers("sam", "o=native_name&email=example", "reg", "jyrg", "nora", "sam"),
	refuseUsers("field=bogus", "field", noChoice("bogus")),
	refuseUsers("o=bogus", "o", noChoice("bogus")),
	refuseUsers("is_staff=maybe", "is_staff", noChoice("maybe")),
	refuseUsers("customer_uuid=x", "customer_uuid", "Enter a valid UUID."),
	refuseUsers("email=%00", "email", "Null characters are not allowed."),
	{name: "a filter that is none", request: "GET /api/users/?username=bob&zzz=1&field=username", status: 200, want: usersNamed("bob")},

	{name: "oneself", request: "GET /api/users/me/", status: 200, want: samFields},
	{name: "oneself as a member of a team", as: "carl", request: "GET /api/users/me/?field=username,email,token,permissions", status: 200,
		want: `{"username":"carl","token":"token-of-carl","permissions":[` + carlOnAngstrom + "," + carlOnTartu + `]}`},
	{name: "a field that is none", request: "GET /api/users/me/?field=bogus", status: 400, want: `{"field":["` + noChoice("bogus") + `"]}`},

	{name: "somebody, by staff", request: "GET /api/users/{nora}/?field=email,token,is_active", status: 200, want: `{"email":"Nora@example.com","is_active":true}`},
	{name: "somebody, by support", as: "sue", request: "GET /api/users/{nora:hex}/?field=email,is_staff", status: 200, want: `{"email":"Nora@example.com","is_staff":false}`},
	{name: "a member, by another", as: "jyrg", request: "GET /api/users/{carl}/", status: 200, want: shownUser["carl"] + `,"permissions":[` + carlOnTartu + `]}`},
	{name: "a member with an address, by the team's manager", as: "carl", request: "GET /api/users/{jyrg}/?field=email", status: 200, want: `{"email":"notes@example.com"}`},
	{name: "a member with an address, by the customer's owner", as: "olev", request: "GET /api/users/{jyrg}/?field=email", status: 200, want: `{"email":"notes@example.com"}`},
	{name: "a member with an address, by another member", as: "nora", request: "GET /api/users/{jyrg}/?field=email", status: 200, want: "{}"},
	{name: "a member with an address, by who grants no roles", as: "mari", request: "GET /api/users/{jyrg}/?field=email,username", status: 200, want: `{"username":"jyrg"}`},
	{name: "the owner, by a member of the organisation", as: "carl", request: "GET /api/users/{olev}/", status: 404, want: noUser},
	{name: "a stranger", as: "bob", request: "GET /api/users/{carl}/", status: 404, want: noUser},
	{name: "a user that is not known", request: "GET /api/users/{tartu}/", status: 404, want: noUser},
	{name: "a field that is not one", request: "GET /api/users/{nora}/?field=bogus", status: 400, want: `{"field":["` + noChoice("bogus") + `"]}`},
}

// Who holds a role on an organisation alone is not told who of the users seen elsewhere is in its customer's team.
func TestUsersOfACustomerSeenElsewhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		stage := newStage(t, engine)
		grant := scenario{request: "POST …/{zagreb}/add_user/", status: 201, want: `{"expiration_time":null}`}
		for _, user := range []string{"carl", "mari"} {
			grant.body = jsonBody(stage.names.Replace(`{"role":"HELPER","user":"{` + user + `}"}`))
			if got := stage.send(t, stage.request(grant)); got.Status != 201 {
				t.Fatalf("%d %s", got.Status, got.Body)
			}
		}
		stage.log.take()
		stage.remember(t)
		stage.play(t, findUsers("carl", "", "carl", "ines", "jyrg", "mari", "nora"))
		stage.play(t, findUsers("carl", "customer_uuid={tartu.customer}", "carl", "ines", "jyrg", "nora"))
		stage.play(t, findUsers("mari", "customer_uuid={tartu.customer}", "carl", "ines", "jyrg", "mari", "nora", "olev", "reg"))
	})
}
