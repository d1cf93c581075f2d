package server_test

import "strings"

// newCustomerAs is the first customer that a request makes.
func newCustomerAs(name, more string) string {
	return `{"url":"https://calls.example.com/api/customers/11111111-0000-7000-8000-000000000001/","uuid":"11111111-0000-7000-8000-000000000001","created":"2027-01-31T12:30:45.123456Z",` +
		`"name":` + name + more + `,"users_count":0,"call_managing_organization_uuid":null,"organization_groups":[]}`
}

// tartuCustomerWith is tartu's customer, of which pairs of texts are replaced.
func tartuCustomerWith(pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(tartuCustomer)
}

// customerChangedBy is the audit event of a change of tartu's customer.
func customerChangedBy(user, what string) []string {
	return []string{"customer.update {tartu.customer} by " + user + ": " + what}
}

const (
	plainCustomer   = `,"native_name":"","abbreviation":"","country":"","image":null,"blocked":false,"archived":false`
	fullCustomer    = `,"native_name":"Über","abbreviation":"Ü","country":"EE","image":null,"blocked":true,"archived":true`
	newCustomerPath = "/api/customers/11111111-0000-7000-8000-000000000001/"
	noName          = `{"name":["This field is required."]}`
	noCountry       = `{"country":["Use a country code of ISO 3166-1, such as EE."]}`
	hasAnOrganiser  = `{"detail":"Cannot delete customer with existing call managing organisation."}`
	staffChange     = `["Only staff can change this field."]`
)

var createdCustomer = []string{"customer.create 11111111-0000-7000-8000-000000000001 by sam"}

var createCustomerScenarios = []scenario{
	{name: "by staff, with a name alone", request: "POST /api/customers/", body: jsonBody(`{"name":"  A b "}`), status: 201, want: newCustomerAs(`"  A b "`, plainCustomer),
		headers: map[string]string{"Location": "https://calls.example.com" + newCustomerPath},
		events:  createdCustomer,
		then: []step{
			{"GET " + newCustomerPath, 200, newCustomerAs(`"  A b "`, plainCustomer)},
			{"GET /api/customers/?field=uuid&query=a+b", 200, `[{"uuid":"11111111-0000-7000-8000-000000000001"}]`},
		}},
	{name: "with everything", request: "POST /api/customers/", status: 201, events: createdCustomer,
		body: jsonBody(`{"name":"Ümlaut","native_name":"Über","abbreviation":"Ü","country":"EE","image":null,"blocked":true,"archived":true,"uuid":"x","created":1,"zzz":{}}`),
		want: newCustomerAs(`"Ümlaut"`, fullCustomer)},
	{name: "a form with everything", request: "POST /api/customers/", body: formBody("name=%C3%9Cmlaut&native_name=%C3%9Cber&abbreviation=%C3%9C&country=EE&image=&blocked=true&archived=TRUE"), status: 201,
		want: newCustomerAs(`"Ümlaut"`, fullCustomer), events: createdCustomer},
	{name: "multipart with an image", request: "POST /api/customers/", body: parts(text("name", "A"), text("blocked", "False"), file("image", "a.png", "image/png", pngFile)), status: 201,
		want:   newCustomerAs(`"A"`, strings.Replace(plainCustomer, `"image":null`, `"image":"{media}/11111111-0000-7000-8000-000000000002/"`, 1)),
		events: createdCustomer},
	{name: "a name that another customer has, of 150 characters", request: "POST /api/customers/", body: jsonBody(`{"name":"` + longest[:300] + `"}`), status: 201,
		want: newCustomerAs(`"`+longest[:300]+`"`, plainCustomer), events: createdCustomer},

	{name: "no name", request: "POST /api/customers/", body: jsonBody(`{}`), status: 400, want: noName},
	{name: "an empty name", request: "POST /api/customers/", body: jsonBody(`{"name":""}`), status: 400, want: `{"name":["This field may not be blank."]}`},
	{name: "an empty name in a form", request: "POST /api/customers/", body: formBody("name="), status: 400, want: `{"name":["This field may not be blank."]}`},
	{name: "a name that is null", request: "POST /api/customers/", body: jsonBody(`{"name":null}`), status: 400, want: `{"name":["This field may not be null."]}`},
	{name: "a name of 151 characters", request: "POST /api/customers/", body: jsonBody(`{"name":"` + longest[:302] + `"}`), status: 400, want: `{"name":["Ensure this field has no more than 150 characters."]}`},
	{name: "a name with a NUL", request: "POST /api/customers/", body: jsonBody(`{"name":"\u0000"}`), status: 400, want: `{"name":["Null characters are not allowed."]}`},
	{name: "all that is wrong at once", request: "POST /api/customers/", status: 400,
		body: jsonBody(`{"name":5,"native_name":"` + longest[:322] + `","abbreviation":"1234567890123","country":"XX","image":"x","blocked":"no","archived":null}`),
		want: `{"abbreviation":["Ensure this field has no more than 12 characters."],"archived":["This field may not be null."],"blocked":["Must be a valid boolean."],` + noCountry[1:len(noCountry)-1] +
			`,"image":["The submitted data was not a file. Check the encoding type on the form."],"name":["Not a valid string."],"native_name":["Ensure this field has no more than 160 characters."]}`},
	{name: "a country in small letters", request: "POST /api/customers/", body: jsonBody(`{"name":"A","country":"ee"}`), status: 400, want: noCountry},
	{name: "a boolean of a form that is none", request: "POST /api/customers/", body: formBody("name=A&blocked=maybe&archived=1"), status: 400,
		want: `{"archived":["Must be a valid boolean."],"blocked":["Must be a valid boolean."]}`},
	{name: "an image that is none", request: "POST /api/customers/", body: parts(text("name", "A"), file("image", "a.svg", "image/svg+xml", svgFile)), status: 400, want: noImage},

	{name: "by support", as: "sue", request: "POST /api/customers/", body: jsonBody(`{"name":"A"}`), status: 403, want: mayNot},
	{name: "by an owner, with a wrong image", as: "olev", request: "POST /api/customers/", body: parts(text("name", "A"), file("image", "a.svg", "image/svg+xml", svgFile)), status: 403, want: mayNot},
}

// renamed is tartu as the organisations' list shows it once its customer has another name.
var renamed = strings.NewReplacer(`"customer_name":"University of Tartu"`, `"customer_name":"aaa"`, `"customer_abbreviation":"UT"`, `"customer_abbreviation":"XY"`).Replace(organisation["tartu"])

var updateCustomerScenarios = []scenario{
	{name: "by staff, of everything", request: "PUT /api/customers/{tartu.customer}/", status: 200,
		body:   jsonBody(`{"name":"A","native_name":"","abbreviation":"","country":"","image":null,"blocked":true,"archived":true}`),
		want:   tartuCustomerWith("University of Tartu", "A", "Tartu Ülikool", "", `"UT"`, `""`, `"EE"`, `""`, `"{media}/{tartu.customer.image}/"`, "null", "false", "true"),
		events: customerChangedBy("sam", "name, native_name, abbreviation, country, blocked true, archived true, image"),
		then:   []step{{"GET /api/media/{tartu.customer.image}/", 404, gone}}},
	{name: "what is absent stays", as: "olev", request: "PUT /api/customers/{tartu.customer:hex}/", body: jsonBody(`{"name":"A"}`), status: 200, want: tartuCustomerWith("University of Tartu", "A"),
		events: customerChangedBy("olev", "name"), then: []step{{"GET /api/customers/{tartu.customer}/", 200, tartuCustomerWith("University of Tartu", "A")}}},
	{name: "by the owner, with what staff alone change as it is", as: "olev", request: "PUT /api/customers/{tartu.customer}/", body: formBody("name=A&blocked=false&archived=false"), status: 200,
		want: tartuCustomerWith("University of Tartu", "A"), events: customerChangedBy("olev", "name, blocked false, archived false")},
	{name: "no name", request: "PUT /api/customers/{tartu.customer}/", body: jsonBody(`{"country":"NO"}`), status: 400, want: noName},
	{name: "by the manager", as: "mari", request: "PUT /api/customers/{tartu.customer}/", body: jsonBody(`{"name":"A"}`), status: 403, want: mayNot},
	{name: "by who doesn't see it", as: "bob", request: "PUT /api/customers/{free.customer}/", body: jsonBody(`{"name":"A"}`), status: 404, want: noCustomer},
}

var partialUpdateCustomerScenarios = []scenario{
	{name: "a new name and abbreviation reach the organisations' list", as: "olev", request: "PATCH /api/customers/{tartu.customer}/", body: jsonBody(`{"name":"aaa","abbreviation":"XY"}`), status: 200,
		want: tartuCustomerWith("University of Tartu", "aaa", `"UT"`, `"XY"`), events: customerChangedBy("olev", "name, abbreviation"),
		then: []step{
			{"GET …/", 200, "[" + strings.Join([]string{organisation["percent"], renamed, organisation["angstrom"], organisation["zagreb"]}, ",") + "]"},
			{"GET …/?customer_keyword=xy", 200, "[" + renamed + "]"},
			{"GET …/?customer_keyword=university", 200, "[]"},
			{"GET /api/customers/?field=name&abbreviation=xy", 200, `[{"name":"aaa"}]`},
			{"GET /api/customers/?field=name&o=name&page_size=2", 200, `[{"name":"100%_\\ \"O'Brien\""},{"name":"aaa"}]`},
		}},
	{name: "blocked by staff, after which nobody is given a role", request: "PATCH /api/customers/{tartu.customer}/", body: jsonBody(`{"blocked":true}`), status: 200,
		want: tartuCustomerWith(`"blocked":false`, `"blocked":true`), events: customerChangedBy("sam", "blocked true")},
	{name: "archived by staff in a form", request: "PATCH /api/customers/{tartu.customer:UPPER}/", body: formBody("archived=True"), status: 200,
		want: tartuCustomerWith(`"archived":false`, `"archived":true`), events: customerChangedBy("sam", "archived true")},
	{name: "an image by the owner", as: "olev", request: "PATCH /api/customers/{tartu.customer}/", body: parts(file("image", "a.png", "image/png", pngFile)), status: 200,
		want: tartuCustomerWith(`"{media}/{tartu.customer.image}/"`, newImage), events: customerChangedBy("olev", "image"),
		then: []step{{"GET /api/media/{tartu.customer.image}/", 404, gone}, {"GET " + newMedia, 200, pngFile}}},
	{name: "the image is taken away in a form", as: "olev", request: "PATCH /api/customers/{tartu.customer}/", body: formBody("image="), status: 200,
		want: tartuCustomerWith(`"{media}/{tartu.customer.image}/"`, "null"), events: customerChangedBy("olev", "image")},
	{name: "nothing at all", as: "olev", request: "PATCH /api/customers/{tartu.customer}/", status: 200, want: tartuCustomer},

	{name: "blocked and archived by the owner", as: "olev", request: "PATCH /api/customers/{tartu.customer}/", body: jsonBody(`{"name":"A","blocked":true,"archived":true}`), status: 400,
		want: `{"archived":` + staffChange + `,"blocked":` + staffChange + `}`},
	{name: "unblocked by the owner", as: "olev", request: "PATCH /api/customers/{angstrom.customer}/", body: jsonBody(`{"blocked":false}`), status: 400, want: `{"blocked":` + staffChange + `}`},
	{name: "an empty name", request: "PATCH /api/customers/{tartu.customer}/", body: jsonBody(`{"name":""}`), status: 400, want: `{"name":["This field may not be blank."]}`},
	{name: "a name of 151 characters", as: "olev", request: "PATCH /api/customers/{tartu.customer}/", body: jsonBody(`{"name":"` + longest[:302] + `"}`), status: 400, want: `{"name":["Ensure this field has no more than 150 characters."]}`},
	{name: "a country that is none", as: "olev", request: "PATCH /api/customers/{tartu.customer}/", body: jsonBody(`{"country":"ZZ"}`), status: 400, want: noCountry},
	{name: "an image that is a text", as: "olev", request: "PATCH /api/customers/{tartu.customer}/", body: parts(text("image", "x")), status: 400, want: notAFile},
	{name: "by support", as: "sue", request: "PATCH /api/customers/{free.customer}/", body: jsonBody(`{"name":"A"}`), status: 403, want: mayNot},
	{name: "by whoever sees its organisation", as: "bob", request: "PATCH /api/customers/{tartu.customer}/", body: jsonBody(`{"name":"A"}`), status: 403, want: mayNot},
	{name: "by who holds another role", as: "reg", request: "PATCH /api/customers/{free.customer}/", body: jsonBody(`{"name":"A"}`), status: 403, want: mayNot},
	{name: "by who doesn't see it", as: "olev", request: "PATCH /api/customers/{free.customer}/", body: jsonBody(`{"blocked":true}`), status: 404, want: noCustomer},
}

var destroyCustomerScenarios = []scenario{
	{name: "by staff, with a member", request: "DELETE /api/customers/{free.customer}/", status: 204, events: []string{"customer.delete {free.customer} by sam: Free University"},
		then: []step{
			{"GET /api/customers/{free.customer}/", 404, noCustomer},
			{"GET /api/customers/?field=uuid&user_uuid={reg}", 200, `[{"uuid":"{archived.customer}"},{"uuid":"{blocked.customer}"},{"uuid":"{tartu.customer}"}]`},
		}},
	{name: "with an organisation", request: "DELETE /api/customers/{zagreb.customer}/", status: 400, want: hasAnOrganiser},
	{name: "by support", as: "sue", request: "DELETE /api/customers/{free.customer}/", status: 403, want: mayNot},
	{name: "by the owner", as: "olev", request: "DELETE /api/customers/{zagreb.customer}/", status: 403, want: mayNot},
	{name: "by who doesn't see it", as: "bob", request: "DELETE /api/customers/{free.customer}/", status: 404, want: noCustomer},
	{name: "a customer that is not known", request: "DELETE /api/customers/{tartu}/", status: 404, want: noCustomer},
}
