package server_test

import (
	"fmt"
	"strings"
)

// member is how the API shows each role that is held on tartu.
var member = map[string]string{
	"carl": `{"uuid":"{carl:CUSTOMER.CALL_ORGANIZER:tartu}","created":"2027-01-31T07:30:45.123456Z","expiration_time":null,` +
		`"role_name":"CUSTOMER.CALL_ORGANIZER","role_uuid":"{CUSTOMER.CALL_ORGANIZER}","user_email":null,"user_full_name":"Carl Clerk","user_username":"carl",` +
		`"user_uuid":"{carl}","user_image":"{media}/{carl.image}/","created_by_full_name":"Olev Owner","created_by_uuid":"{olev}"}`,
	"helping jyrg": `{"uuid":"{jyrg:HELPER:tartu}","created":"2027-01-31T08:30:45.123456Z","expiration_time":"2027-03-01T00:00:00Z",` +
		`"role_name":"HELPER","role_uuid":"{HELPER}","user_email":"notes@example.com","user_full_name":"Jürgen Müller","user_username":"jyrg",` +
		`"user_uuid":"{jyrg}","user_image":null}`,
	"nora": `{"uuid":"{nora:HELPER:tartu}","created":"2027-01-31T09:30:45.123456Z","expiration_time":"2027-01-31T12:30:45.123456Z",` +
		`"role_name":"HELPER","role_uuid":"{HELPER}","user_email":"Nora@example.com","user_full_name":"Nora 50%_\\","user_username":"nora",` +
		`"user_uuid":"{nora}","user_image":null}`,
	"jyrg": `{"uuid":"{jyrg:CUSTOMER.CALL_ORGANIZER:tartu}","created":"2027-01-31T10:30:45.123456Z","expiration_time":"2027-03-01T00:00:00Z",` +
		`"role_name":"CUSTOMER.CALL_ORGANIZER","role_uuid":"{CUSTOMER.CALL_ORGANIZER}","user_email":"notes@example.com","user_full_name":"Jürgen Müller","user_username":"jyrg",` +
		`"user_uuid":"{jyrg}","user_image":null}`,
}

// members is a page of tartu's members.
func members(names ...string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = member[name]
	}
	return "[" + strings.Join(shown, ",") + "]"
}

// team are the headers of a page of tartu's members.
func team(count string, links ...string) map[string]string {
	for i := 1; i < len(links); i += 2 {
		links[i] = "{tartu}/list_users/" + links[i]
	}
	return page(count, links...)
}

var wholeTeam = members("carl", "helping jyrg", "nora", "jyrg")

// find is a query of tartu's members and who it finds. Each is shown as role and user.
func find(query string, found ...string) scenario {
	return scenario{name: "?" + strings.TrimSuffix(query[:min(len(query), 60)], "%"), as: "carl", request: "GET …/{tartu}/list_users/?" + query, status: 200, want: members(found...)}
}

// refuse is a query of tartu's members that is wrong in one parameter.
func refuse(query, field, text string) scenario {
	return scenario{name: "wrong: ?" + query, as: "carl", request: "GET …/{tartu}/list_users/?" + query, status: 400, want: fmt.Sprintf(`{%q:[%q]}`, field, text)}
}

func noChoice(value string) string {
	return "Select a valid choice. " + value + " is not one of the available choices."
}

var listUsersScenarios = []scenario{
	{name: "active roles of active users, oldest first", request: "GET …/{tartu}/list_users/", status: 200, want: wholeTeam, headers: team("4", "first", "", "last", "")},
	{name: "by support", as: "sue", request: "GET …/{tartu:hex}/list_users/", status: 200, want: wholeTeam,
		headers: page("4", "first", "{tartu:hex}/list_users/", "last", "{tartu:hex}/list_users/")},
	{name: "nobody", request: "GET …/{zagreb}/list_users/", status: 200, want: "[]", headers: page("0", "first", "{zagreb}/list_users/", "last", "{zagreb}/list_users/")},

	// Filters.
	find("user={jyrg}", "helping jyrg", "jyrg"),
	find("user={bob}"),
	find("user={ines}"), // not active
	find("user={erik}"), // expired
	find("user={rita}"), // revoked
	refuse("user=x", "user", "Enter a valid UUID."),
	refuse("user=", "user", "Enter a valid UUID."),
	find("user_url=https://x/api/users/{nora}/", "nora"),
	find("user_url=/api/users/{nora:hex}", "nora"),
	find("user_url=/api/users/{tartu}/"),
	find("user={jyrg}&user_url=/api/users/{nora}/"),
	refuse("user_url=/api/customers/{nora}/", "user_url", "Invalid hyperlink - No URL match."),
	refuse("user_url=", "user_url", "Invalid hyperlink - No URL match."),
	find("username=nora", "nora"),
	find("username=Nora"),
	find("username=", "carl", "helping jyrg", "nora", "jyrg"),
	find("full_name=JURGEN+mu", "helping jyrg", "jyrg"),
	find("full_name=J%C3%9CRGEN", "helping jyrg", "jyrg"),
	find("full_name=%25", "nora"),
	find("full_name=_%5C", "nora"),
	find("native_name=%D0%9D%D0%9E%D0%A0%D0%90", "nora"), // НОРА
	find("native_name=jurgen"),                           // accents count here
	find("native_name=j%C3%BCrgen", "helping jyrg", "jyrg"),
	find("user_slug=CLERK", "carl"),
	find("user_slug=ora", "nora"), // the username, where there is no slug
	find("role=HELPER", "helping jyrg", "nora"),
	find("role=helper"),
	find("role={HELPER}", "helping jyrg", "nora"),
	find("role={HELPER:hex}", "helping jyrg", "nora"),
	find("role={tartu}"),
	find("role=", "carl", "helping jyrg", "nora", "jyrg"),
	find("role=CUSTOMER.CALL_ORGANIZER&role=HELPER", "helping jyrg", "nora"),
	find("search_string=CLERK", "carl"),
	find("search_string=nora%40EXAMPLE", "nora"),
	find("search_string=m%C3%BCller", "helping jyrg", "jyrg"),
	find("search_string=muller"), // accents count here
	find("search_string='\"%5C%25"),
	find("full_name=&native_name=&role=&search_string=&user_slug=&username=", "carl", "helping jyrg", "nora", "jyrg"),
	find("role=HELPER&search_string=nora&zzz=1", "nora"),
	refuse("username=%00", "username", "Null characters are not allowed."),
	{name: "a query that is not UTF-8", request: "GET …/{tartu}/list_users/?username=%FF", status: 400, want: notUTF8},

	// Order: ties are broken by the grant's id, whose letter is f and whose number the world's order.
	find("o=-created", "jyrg", "nora", "helping jyrg", "carl"),
	find("o=username", "carl", "helping jyrg", "jyrg", "nora"),
	find("o=-username", "nora", "helping jyrg", "jyrg", "carl"),
	find("o=full_name", "carl", "helping jyrg", "jyrg", "nora"),
	find("o=-full_name", "nora", "helping jyrg", "jyrg", "carl"),
	find("o=native_name", "carl", "helping jyrg", "jyrg", "nora"),
	find("o=-native_name", "nora", "helping jyrg", "jyrg", "carl"),
	find("o=email", "carl", "nora", "helping jyrg", "jyrg"),
	find("o=-email", "helping jyrg", "jyrg", "nora", "carl"),
	find("o=role", "carl", "jyrg", "helping jyrg", "nora"),
	find("o=-role", "helping jyrg", "nora", "carl", "jyrg"),
	find("o=expiration_time", "nora", "helping jyrg", "jyrg", "carl"),
	find("o=-expiration_time", "carl", "helping jyrg", "jyrg", "nora"),
	find("o=role,-username", "jyrg", "carl", "nora", "helping jyrg"),
	find("o=-role&o=created,username", "helping jyrg", "nora", "carl", "jyrg"),

	// Pages.
	{name: "a page in the middle", request: "GET …/{tartu}/list_users/?page=2&page_size=1&o=-username", status: 200, want: members("helping jyrg"),
		headers: team("4", "first", "?o=-username&page_size=1", "prev", "?o=-username&page_size=1", "next", "?o=-username&page=3&page_size=1", "last", "?o=-username&page=4&page_size=1")},
	{name: "a page past the end", request: "GET …/{tartu}/list_users/?page=2", status: 404, want: `{"detail":"Invalid page."}`},

	// Fields.
	{name: "some fields", request: "GET …/{tartu}/list_users/?username=carl&field=user_uuid&field=role_name,expiration_time", status: 200,
		want:    `[{"expiration_time":null,"role_name":"CUSTOMER.CALL_ORGANIZER","user_uuid":"{carl}"}]`,
		headers: team("1", "first", "?field=user_uuid&field=role_name%2Cexpiration_time&username=carl", "last", "?field=user_uuid&field=role_name%2Cexpiration_time&username=carl")},
	{name: "every field", request: "GET …/{tartu}/list_users/?field=uuid,created,expiration_time,role_name,role_uuid,user_email,user_full_name,user_username,user_uuid,user_image,created_by_full_name,created_by_uuid",
		status: 200, want: wholeTeam},
	{name: "fields of which there is none", request: "GET …/{tartu}/list_users/?username=nora&field=created_by_uuid&field=created_by_full_name", status: 200, want: "[{}]"},
	{name: "a field twice", request: "GET …/{tartu}/list_users/?username=nora&field=user_image,user_image", status: 200, want: `[{"user_image":null}]`},
	{name: "a field many times", request: "GET …/{tartu}/list_users/?username=nora&field=user_image" + strings.Repeat(",user_image", 1000), status: 200, want: `[{"user_image":null}]`, headers: map[string]string{"Link": ""}},
	refuse("field="+manyNames(101), "field", "Too many values."),
	refuse("field=", "field", noChoice("")),
	{name: "all that is wrong with a query at once", as: "carl", request: "GET …/{tartu}/list_users/?field=a&o=b&user=c&user_url=d&page=e&page_size=f&role=%00", status: 400,
		want: `{"field":["Select a valid choice. a is not one of the available choices."],"o":["Select a valid choice. b is not one of the available choices."],"page_size":["A valid integer is required."],` +
			`"role":["Null characters are not allowed."],"user":["Enter a valid UUID."],"user_url":["Invalid hyperlink - No URL match."]}`},

	// Who.
	{name: "by a user without a role", as: "bob", request: "GET …/{tartu}/list_users/", status: 403, want: mayNot},
	{name: "an id that is not known", request: "GET …/{tartu.customer}/list_users/", status: 404, want: noOrganisation},
}
