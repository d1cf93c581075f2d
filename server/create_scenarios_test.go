package server_test

import "strings"

// created is the answer to a create for the free customer. Its id is the first that the
// request takes.
func created(description, image string) string {
	return `{"url":"{api}/11111111-0000-7000-8000-000000000001/","uuid":"11111111-0000-7000-8000-000000000001","created":"2027-01-31T12:30:45.123456Z",` +
		`"description":` + description + `,"customer":"https://calls.example.com/api/customers/{free.customer}/","customer_name":"Free University",` +
		`"customer_uuid":"{free.customer}","customer_image":null,"customer_abbreviation":"","customer_native_name":"","customer_country":"","image":` + image + `}`
}

const (
	createdPath = "…/11111111-0000-7000-8000-000000000001/"

	noObject     = `{"customer":["Invalid hyperlink - Object does not exist."]}`
	hasOne       = `{"customer":["Call managing organisation with this customer already exists."]}`
	required     = `{"customer":["This field is required."]}`
	notAFile     = `{"image":["The submitted data was not a file. Check the encoding type on the form."]}`
	notAvailable = `{"non_field_errors":["Customer is not available."]}`
	nullText     = `{"description":["Null characters are not allowed."]}`
	tooLong      = `{"description":["Ensure this field has no more than 4096 characters."]}`
)

var (
	createdEvents = []string{"call_managing_organisation.create 11111111-0000-7000-8000-000000000001 by sam"}

	longest  = strings.Repeat("ü", 4096)
	emoji    = strings.Repeat("😀", 4096)
	freeURL  = `"https://calls.example.com/api/customers/{free.customer}/"`
	freeForm = "customer=https%3A%2F%2Fcalls.example.com%2Fapi%2Fcustomers%2F{free.customer}%2F"
)

var createScenarios = []scenario{
	{name: "by staff", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `}`), status: 201, want: created(`""`, "null"),
		headers: map[string]string{"Location": "{api}/11111111-0000-7000-8000-000000000001/", "Content-Type": "application/json"},
		events:  createdEvents,
		then: []step{
			{"GET " + createdPath, 200, created(`""`, "null")},
			{"GET …/?o=customer_name", 200, strings.Replace(everything, organisation["tartu"], created(`""`, "null")+","+organisation["tartu"], 1)},
			{"GET " + createdPath + "list_users/", 200, "[]"},
		}},
	{name: "by a holder of SERVICE_PROVIDER.REGISTER", as: "reg", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"description":"d"}`), status: 201,
		want: created(`"d"`, "null"), events: []string{"call_managing_organisation.create 11111111-0000-7000-8000-000000000001 by reg"},
		then: []step{{"GET " + createdPath, 200, created(`"d"`, "null")}}},
	{name: "the customer as the reference page spells it, at another host", request: "POST …/", body: jsonBody(`{"customer":"http://api.example.org:1/api/customer/{free.customer:hex}"}`),
		status: 201, want: created(`""`, "null"), events: createdEvents},
	{name: "the customer's scheme and id in capitals", request: "POST …/", body: jsonBody(`{"customer":"HTTPS://x/api/customers/{free.customer:UPPER}/"}`), status: 201, want: created(`""`, "null"), events: createdEvents},
	{name: "text as it was sent, not trimmed", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"description":"  a\n\tb😀 "}`), status: 201,
		want: created(`"  a\n\tb😀 "`, "null"), events: createdEvents, then: []step{{"GET " + createdPath, 200, created(`"  a\n\tb😀 "`, "null")}}},
	{name: "an empty description, and no image", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"description":"","image":null}`), status: 201, want: created(`""`, "null"), events: createdEvents},
	{name: "a description of 4,096 characters", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"description":"` + emoji + `"}`), status: 201, want: created(`"`+emoji+`"`, "null"), events: createdEvents},
	{name: "fields that are not known or can't be written", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"uuid":"x","created":1,"zzz":{}}`), status: 201, want: created(`""`, "null"), events: createdEvents},
	{name: "a wrong query, which the operation does not have", request: "POST …/?page_size=x&customer=y", body: jsonBody(`{"customer":` + freeURL + `}`), status: 201, want: created(`""`, "null"), events: createdEvents},

	// The customer.
	{name: "no customer", request: "POST …/", body: jsonBody(`{}`), status: 400, want: required},
	{name: "customer null", request: "POST …/", body: jsonBody(`{"customer":null}`), status: 400, want: `{"customer":["This field may not be null."]}`},
	{name: "an empty customer", request: "POST …/", body: jsonBody(`{"customer":""}`), status: 400, want: noURL},
	{name: "customer that is a number", request: "POST …/", body: jsonBody(`{"customer":5}`), status: 400, want: `{"customer":["Incorrect type. Expected URL string, received int."]}`},
	{name: "customer that is a fraction", request: "POST …/", body: jsonBody(`{"customer":1.5}`), status: 400, want: `{"customer":["Incorrect type. Expected URL string, received float."]}`},
	{name: "customer that is a list", request: "POST …/", body: jsonBody(`{"customer":[]}`), status: 400, want: `{"customer":["Incorrect type. Expected URL string, received list."]}`},
	{name: "customer that is an object", request: "POST …/", body: jsonBody(`{"customer":{"uuid":"{free.customer}"}}`), status: 400, want: `{"customer":["Incorrect type. Expected URL string, received dict."]}`},
	{name: "customer with a bad host", request: "POST …/", body: jsonBody(`{"customer":"http://[/api/customers/{free.customer}/"}`), status: 400, want: noURL},
	{name: "an unknown customer", request: "POST …/", body: jsonBody(`{"customer":"https://x/api/customers/{sam}/"}`), status: 400, want: noObject},
	{name: "a customer that has an organisation", request: "POST …/", body: jsonBody(`{"customer":"https://x/api/customers/{tartu.customer}/"}`), status: 400, want: hasOne},
	{name: "a blocked customer", request: "POST …/", body: jsonBody(`{"customer":"https://x/api/customers/{blocked.customer}/"}`), status: 400, want: notAvailable},
	{name: "an archived customer", as: "reg", request: "POST …/", body: jsonBody(`{"customer":"https://x/api/customers/{archived.customer}/"}`), status: 400, want: notAvailable},
	{name: "a blocked customer that has an organisation", request: "POST …/", body: jsonBody(`{"customer":"https://x/api/customers/{angstrom.customer}/"}`), status: 400, want: hasOne},

	// The other fields.
	{name: "description null", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"description":null}`), status: 400, want: `{"description":["This field may not be null."]}`},
	{name: "description that is a number", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"description":5}`), status: 400, want: `{"description":["Not a valid string."]}`},
	{name: "description of 4,097 characters", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"description":"` + emoji + `x"}`), status: 400, want: tooLong},
	{name: "description with a NUL", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"description":"a\u0000b"}`), status: 400, want: nullText},
	{name: "description too long and with a NUL: one thing at a time", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"description":"\u0000` + longest + `"}`), status: 400, want: tooLong},
	{name: "image that is a text", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"image":"https://x/a.png"}`), status: 400, want: notAFile},
	{name: "image that is an empty text", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `,"image":""}`), status: 400, want: notAFile},
	{name: "keys in another case are not known", request: "POST …/", body: jsonBody(`{"Customer":` + freeURL + `,"CUSTOMER":` + freeURL + `}`), status: 400, want: required},
	{name: "all that is wrong at once", request: "POST …/", body: jsonBody(`{"customer":[],"description":5,"image":"x"}`), status: 400,
		want: `{"customer":["Incorrect type. Expected URL string, received list."],"description":["Not a valid string."],"image":["The submitted data was not a file. Check the encoding type on the form."]}`},

	// Who.
	{name: "by an ordinary user", as: "bob", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `}`), status: 403, want: mayNot},
	{name: "a query that is not UTF-8", request: "POST …/?%FF", body: jsonBody(`{"customer":` + freeURL + `}`), status: 400, want: notUTF8},
}

// createBodyScenarios are what concerns any body, in each media type.
var createBodyScenarios = []scenario{
	// JSON.
	{name: "of a repeated key the last counts", request: "POST …/", body: jsonBody(`{"customer":5,"description":"a","customer":` + freeURL + `,"description":"b"}`), status: 201, want: created(`"b"`, "null"), events: createdEvents},
	{name: "blanks around JSON", request: "POST …/", body: jsonBody(" \n{\"customer\":" + freeURL + "}\r\n\t "), status: 201, want: created(`""`, "null"), events: createdEvents},
	{name: "JSON with a charset", request: "POST …/", body: rawBody("Application/JSON; charset=utf-8", `{"customer":`+freeURL+`}`), status: 201, want: created(`""`, "null"), events: createdEvents},
	{name: "JSON without a length", request: "POST …/", body: body{MediaType: "application/json", Content: `{"customer":` + freeURL + `}`, Chunked: true}, status: 201, want: created(`""`, "null"), events: createdEvents},
	{name: "broken JSON", request: "POST …/", body: jsonBody(`{"customer":`), status: 400, want: `{"detail":"JSON parse error - unexpected EOF"}`},
	{name: "JSON NaN", request: "POST …/", body: jsonBody(`{"customer":NaN}`), status: 400, want: `{"detail":"JSON parse error - invalid character 'N' looking for beginning of value"}`},
	{name: "bytes after the JSON value", request: "POST …/", body: jsonBody(`{"customer":` + freeURL + `} x`), status: 400, want: `{"detail":"JSON parse error - unexpected data after the value"}`},
	{name: "JSON that nests too deep", request: "POST …/", body: jsonBody(strings.Repeat("[", 20000)), status: 400, want: `{"detail":"JSON parse error - invalid character '[' exceeded max depth"}`},
	{name: "JSON that is not UTF-8", request: "POST …/", body: jsonBody("{\"customer\":" + freeURL + ",\"description\":\"\xff\"}"), status: 400, want: notUTF8},
	{name: "JSON with a byte order mark", request: "POST …/", body: jsonBody("\ufeff{}"), status: 400, want: `{"detail":"JSON parse error - invalid character 'ï' looking for beginning of value"}`},
	{name: "JSON null", request: "POST …/", body: jsonBody("null"), status: 400, want: noData},
	{name: "JSON that is a list", request: "POST …/", body: jsonBody("[{}]"), status: 400, want: `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
	{name: "JSON that is a text", request: "POST …/", body: jsonBody(`"a"`), status: 400, want: `{"non_field_errors":["Invalid data. Expected a dictionary, but got str."]}`},
	{name: "JSON that is true", request: "POST …/", body: jsonBody("true"), status: 400, want: `{"non_field_errors":["Invalid data. Expected a dictionary, but got bool."]}`},
	{name: "no body", request: "POST …/", body: jsonBody(""), status: 400, want: noData},
	{name: "no body and no Content-Type", request: "POST …/", status: 400, want: noData},
	{name: "no body of an unknown type", request: "POST …/", body: rawBody("text/plain", ""), status: 400, want: noData},

	// urlencoded.
	{name: "a form", request: "POST …/", body: formBody(freeForm + "&description=%C3%BCber+alles&zzz=1"), status: 201, want: created(`"über alles"`, "null"), events: createdEvents,
		then: []step{{"GET " + createdPath, 200, created(`"über alles"`, "null")}}},
	{name: "a form with a charset, and an empty image", request: "POST …/", body: rawBody("application/x-www-form-urlencoded; charset=UTF-8", freeForm+"&image="), status: 201, want: created(`""`, "null"), events: createdEvents},
	{name: "of a repeated key of a form the last counts", request: "POST …/", body: formBody("customer=x&" + freeForm + "&description=a&description=b"), status: 201, want: created(`"b"`, "null"), events: createdEvents},
	{name: "a form with bare signs", request: "POST …/", body: formBody(freeForm + "&description=100%;%zz"), status: 201, want: created(`"100%;%zz"`, "null"), events: createdEvents},
	{name: "a form does not take its fields from the query", request: "POST …/?" + freeForm + "&description=q", body: formBody("description=b"), status: 400, want: required},
	{name: "a form whose image is a text", request: "POST …/", body: formBody(freeForm + "&image=a.png"), status: 400, want: notAFile},
	{name: "a form with a NUL", request: "POST …/", body: formBody(freeForm + "&description=%00"), status: 400, want: nullText},
	{name: "a form that is not UTF-8", request: "POST …/", body: formBody(freeForm + "&description=%FF"), status: 400, want: notUTF8},

	// Another type, or none.
	{name: "a compressed body", request: "POST …/", header: []string{"Authorization: Token token-of-sam", "Content-Encoding: gzip"}, body: jsonBody("{}"), status: 415, want: `{"detail":"Unsupported content encoding \"gzip\" in request."}`},
	{name: "a body that is not compressed, as its header says", request: "POST …/", header: []string{"Authorization: Token token-of-sam", "Content-Encoding: Identity"}, body: jsonBody("{}"), status: 400, want: required},
}

const noData = `{"non_field_errors":["No data provided"]}`
