package server_test

const (
	noCustomer    = `{"detail":"No Customer matches the given query."}`
	tartuCustomer = `{"url":"https://calls.example.com/api/customers/{tartu.customer}/","uuid":"{tartu.customer}","created":"2027-01-31T12:30:45.123456Z",` +
		`"name":"University of Tartu","native_name":"Tartu Ülikool","abbreviation":"UT","country":"EE","image":"{media}/{tartu.customer.image}/",` +
		`"blocked":false,"archived":false,"users_count":3,"call_managing_organization_uuid":"{tartu}"}`
)

var customersScenarios = []scenario{
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
