package server_test

import (
	"fmt"
	"strings"
)

const (
	noCustomer    = `{"detail":"No Customer matches the given query."}`
	tartuCustomer = `{"url":"https://calls.example.com/api/customers/{tartu.customer}/","uuid":"{tartu.customer}","created":"2027-01-31T12:30:45.123456Z",` +
		`"name":"University of Tartu","native_name":"Tartu Ülikool","abbreviation":"UT","country":"EE","image":"{media}/{tartu.customer.image}/",` +
		`"blocked":false,"archived":false,"users_count":3,"call_managing_organization_uuid":"{tartu}","organization_groups":[]}`
)

// findCustomers is a query of customers and which it finds, by their names in the world.
func findCustomers(as, query string, found ...string) scenario {
	shown := make([]string, len(found))
	for i, name := range found {
		shown[i] = `{"uuid":"{` + name + `.customer}"}`
	}
	return scenario{name: as + " ?" + query, as: as, request: "GET /api/customers/?page_size=20&field=uuid&" + query, status: 200, want: "[" + strings.Join(shown, ",") + "]"}
}

// refuseCustomers is a query of customers that is wrong in one parameter.
func refuseCustomers(query, field, text string) scenario {
	return scenario{name: "wrong: ?" + query, request: "GET /api/customers/?" + query, status: 400, want: fmt.Sprintf(`{%q:[%q]}`, field, text)}
}

// All customers of the world, in the order of their names.
var allCustomers = []string{"percent", "angstrom", "archived", "blocked", "free", "tartu", "zagreb"}

var customersScenarios = []scenario{
	{name: "a page of customers", request: "GET /api/customers/?page_size=3&page=2&o=-name&field=uuid,name", status: 200,
		want: `[{"uuid":"{blocked.customer}","name":"Blocked"},{"uuid":"{archived.customer}","name":"Archived"},{"uuid":"{angstrom.customer}","name":"Ångström Institute"}]`,
		headers: map[string]string{"X-Result-Count": "7", "Link": `<https://calls.example.com/api/customers/?field=uuid%2Cname&o=-name&page_size=3>; rel="first", ` +
			`<https://calls.example.com/api/customers/?field=uuid%2Cname&o=-name&page_size=3>; rel="prev", ` +
			`<https://calls.example.com/api/customers/?field=uuid%2Cname&o=-name&page=3&page_size=3>; rel="next", ` +
			`<https://calls.example.com/api/customers/?field=uuid%2Cname&o=-name&page=3&page_size=3>; rel="last"`}},
	{name: "a page past the end", request: "GET /api/customers/?page=2", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "every field in a list", as: "mari", request: "GET /api/customers/", status: 200, want: "[" + tartuCustomer + "]"},
	{name: "a user without a role", as: "bob", request: "GET /api/customers/", status: 200, want: "[]", headers: map[string]string{"X-Result-Count": "0"}},

	// Who sees which.
	findCustomers("sam", "", allCustomers...),
	findCustomers("sue", "", allCustomers...),
	findCustomers("olev", "", "angstrom", "tartu", "zagreb"),
	findCustomers("reg", "", "archived", "blocked", "free", "tartu"),
	findCustomers("carl", ""), // a role on an organisation is none on its customer
	findCustomers("bob", "user_uuid={olev}"),

	// Filters.
	findCustomers("sam", "name=UNIV", "free", "tartu"),
	findCustomers("sam", "name=ut", "angstrom"), // in Institute, and not the abbreviation UT
	findCustomers("sam", "name=%25_%5C", "percent"),
	findCustomers("sam", "name_exact=University+of+Tartu", "tartu"),
	findCustomers("sam", "name_exact=university+of+tartu"),
	findCustomers("sam", "abbreviation=u", "tartu"),
	findCustomers("sam", "abbreviation=tartu"), // in the name and the native name
	findCustomers("sam", "native_name=%C3%BClik", "tartu"),
	findCustomers("sam", "native_name=university"),
	findCustomers("sam", "query=ut", "angstrom", "tartu"),
	findCustomers("sam", "query=TARTU+%C3%9C", "tartu"),
	findCustomers("sam", "query=tartuut"), // no text spans two of them
	findCustomers("sam", "query=r&name=i&o=-name", "tartu", "free", "archived", "angstrom", "percent"),
	findCustomers("sam", "name=&name_exact=&abbreviation=&native_name=&query=", allCustomers...),
	findCustomers("sam", "archived=true", "archived"),
	findCustomers("sam", "archived=false&query=e", "percent", "angstrom", "blocked", "free", "tartu", "zagreb"),
	findCustomers("olev", "owned_by_current_user=true", "angstrom", "tartu", "zagreb"),
	findCustomers("olev", "owned_by_current_user=false", "angstrom", "tartu", "zagreb"),
	findCustomers("mari", "owned_by_current_user=true"),
	findCustomers("sam", "owned_by_current_user=true"),
	findCustomers("sam", "user_uuid={mari}", "tartu"),
	findCustomers("sam", "user_uuid={tartu}"),
	findCustomers("mari", "user_uuid={olev}", "tartu"), // of the customers that mari sees
	findCustomers("sam", "o=-abbreviation,name", "tartu", "percent", "angstrom", "archived", "blocked", "free", "zagreb"),
	findCustomers("sam", "o=native_name,-name&name=univ", "free", "tartu"),
	findCustomers("sam", "o=created,-name", "zagreb", "tartu", "free", "blocked", "archived", "angstrom", "percent"),
	refuseCustomers("field=bogus", "field", noChoice("bogus")),
	refuseCustomers("o=bogus", "o", noChoice("bogus")),
	refuseCustomers("archived=maybe", "archived", noChoice("maybe")),
	refuseCustomers("owned_by_current_user=", "owned_by_current_user", noChoice("")),
	refuseCustomers("user_uuid=x", "user_uuid", "Enter a valid UUID."),
	refuseCustomers("query=%00", "query", "Null characters are not allowed."),
	{name: "a filter of customers that is none", request: "GET /api/customers/?name=zag&contact_details=1&field=name", status: 200, want: `[{"name":"zagreb"}]`},

	{name: "a customer with an organisation, by whoever is signed in", as: "bob", request: "GET /api/customers/{tartu.customer}/", status: 200, want: tartuCustomer},
	{name: "a customer: some fields", request: "GET /api/customers/{free.customer:hex}/?field=call_managing_organization_uuid,image,users_count,blocked", status: 200,
		want: `{"image":null,"blocked":false,"users_count":1,"call_managing_organization_uuid":null}`},
	{name: "a customer without an organisation, by who holds a role on it", as: "reg", request: "GET /api/customers/{blocked.customer}/?field=uuid,blocked", status: 200,
		want: `{"uuid":"{blocked.customer}","blocked":true}`},
	{name: "a customer without an organisation, by support", as: "sue", request: "GET /api/customers/{free.customer}/?field=uuid", status: 200, want: `{"uuid":"{free.customer}"}`},
	{name: "a customer without an organisation, by anybody else", as: "bob", request: "GET /api/customers/{free.customer}/", status: 404, want: noCustomer},
	{name: "a customer: an unknown field", request: "GET /api/customers/{tartu.customer}/?field=bogus", status: 400,
		want: `{"field":["Select a valid choice. bogus is not one of the available choices."]}`},
	{name: "a customer that is not known", request: "GET /api/customers/{tartu}/", status: 404, want: noCustomer},
}
