package server_test

import (
	"fmt"
	"strings"
)

// shownRole is how the API shows each role.
var shownRole = map[string]string{
	"organizer": `{"uuid":"{CUSTOMER.CALL_ORGANIZER}","name":"CUSTOMER.CALL_ORGANIZER","description":"Organization call organizer","permissions":[` +
		`"CALL.APPROVE_AND_REJECT_PROPOSALS","CALL.CLOSE_ROUNDS","CALL.CREATE","CALL.CREATE_PERMISSION","CALL.DELETE_PERMISSION","CALL.LIST",` +
		`"CALL.UPDATE_PERMISSION","PROPOSAL.LIST","PROPOSAL.MANAGE_REVIEW","ROUND.LIST"],"is_active":true,"content_type":"call_organizer"}`,
	"support": `{"uuid":"{CUSTOMER.SUPPORT}","name":"CUSTOMER.SUPPORT","description":"Organization support","permissions":[],"is_active":false,` +
		`"content_type":"customer"}`,
	"helper":    `{"uuid":"{HELPER}","name":"HELPER","description":"","permissions":[],"is_active":true,"content_type":"call_organizer"}`,
	"registrar": `{"uuid":"{REGISTRAR}","name":"REGISTRAR","description":"","permissions":["SERVICE_PROVIDER.REGISTER"],"is_active":true,"content_type":"customer"}`,
	"retired":   `{"uuid":"{RETIRED}","name":"RETIRED","description":"Ülikooli ABI","permissions":[],"is_active":false,"content_type":"call_organizer"}`,
}

// roles is a page of roles.
func roles(names ...string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = shownRole[name]
	}
	return "[" + strings.Join(shown, ",") + "]"
}

// roleNames is a page of roles of which only the names are shown.
func roleNames(names ...string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = fmt.Sprintf(`{"name":%q}`, name)
	}
	return "[" + strings.Join(shown, ",") + "]"
}

const noRole = `{"detail":"No Role matches the given query."}`

var rolesScenarios = []scenario{
	{name: "the roles, by their names", as: "nobody", request: "GET /api/roles/?field=name", status: 200,
		want:    roleNames("CUSTOMER.CALL_ORGANIZER", "CUSTOMER.MANAGER", "CUSTOMER.OWNER", "CUSTOMER.SUPPORT", "HELPER", "REGISTRAR", "RETIRED"),
		headers: map[string]string{"X-Result-Count": "7"}},
	{name: "roles whose names hold a text in any case", as: "nobody", request: "GET /api/roles/?name=egistr", status: 200, want: roles("registrar")},
	{name: "roles whose names hold a text, and whose descriptions another", request: "GET /api/roles/?name=customer.&description=CALL", status: 200, want: roles("organizer")},
	{name: "roles whose descriptions hold letters beside A to Z", request: "GET /api/roles/?description=%C3%9Clikooli%20abi", status: 200, want: roles("retired")},
	{name: "roles whose descriptions hold these in another case", request: "GET /api/roles/?description=%C3%BClikooli", status: 200, want: `[]`},
	{name: "roles whose descriptions hold what is like a blank", request: "GET /api/roles/?description=%1F", status: 200, want: `[]`},
	{name: "roles that can't be granted", request: "GET /api/roles/?is_active=false", status: 200, want: roles("support", "retired")},
	{name: "roles: a page", request: "GET /api/roles/?is_active=true&page=3&page_size=2&field=name", status: 200, want: roleNames("REGISTRAR"),
		headers: map[string]string{"X-Result-Count": "5"}},
	{name: "roles: an empty text is no filter", request: "GET /api/roles/?name=&page_size=1", status: 200, want: roles("organizer")},
	{name: "roles: is_active is no truth value", request: "GET /api/roles/?is_active=x", status: 400,
		want: `{"is_active":["Select a valid choice. x is not one of the available choices."]}`},
	{name: "roles: an unknown field", request: "GET /api/roles/?field=bogus", status: 400,
		want: `{"field":["Select a valid choice. bogus is not one of the available choices."]}`},
	{name: "roles: past the end", request: "GET /api/roles/?page=9", status: 404, want: invalidPage},
	{name: "roles are counted", as: "nobody", request: "HEAD /api/roles/?is_active=false", status: 200, headers: map[string]string{"X-Result-Count": "2"}},
	{name: "roles are counted: is_active is no truth value", request: "HEAD /api/roles/?is_active=x", status: 400},
	{name: "roles are counted: past the end", request: "HEAD /api/roles/?page=9", status: 404},
	{name: "a role", as: "nobody", request: "GET /api/roles/{REGISTRAR}/", status: 200, want: shownRole["registrar"]},
	{name: "a role: some fields", request: "GET /api/roles/{HELPER:hex}/?field=permissions,name", status: 200, want: `{"name":"HELPER","permissions":[]}`},
	{name: "a role: an unknown field", request: "GET /api/roles/{HELPER}/?field=bogus", status: 400,
		want: `{"field":["Select a valid choice. bogus is not one of the available choices."]}`},
	{name: "a role that is not known", request: "GET /api/roles/{tartu}/", status: 404, want: noRole},
}
