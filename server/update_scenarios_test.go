package server_test

import "strings"

// tartuAs is tartu with another description.
func tartuAs(description string) string {
	return strings.Replace(organisation["tartu"], `"Calls of Tartu"`, description, 1)
}

// withoutImage is an organisation whose image was taken away.
func withoutImage(shown string) string {
	return strings.Replace(shown, `"image":"{media}/{tartu.image}/"}`, `"image":null}`, 1)
}

// changedBy is the audit event of a change of tartu.
func changedBy(user, what string) []string {
	return []string{"call_managing_organisation.update {tartu} by " + user + ": " + what}
}

const (
	own     = `"customer":"https://x/api/customers/{tartu.customer}/"`
	ownForm = "customer=https://x/api/customers/{tartu.customer}/"
	other   = `{"customer":["The customer of an organisation can't be changed."]}`
)

var updateScenarios = []scenario{
	{name: "by staff", request: "PUT …/{tartu}/", body: jsonBody(`{` + own + `,"description":"new"}`), status: 200, want: tartuAs(`"new"`),
		events: changedBy("sam", "description"), then: []step{{"GET …/{tartu}/", 200, tartuAs(`"new"`)}}},
	{name: "by the customer's owner, of everything", as: "olev", request: "PUT …/{tartu:hex}/", body: jsonBody(`{` + own + `,"description":"","image":null}`), status: 200,
		want: withoutImage(tartuAs(`""`)), events: changedBy("olev", "description, image"),
		then: []step{{"GET …/{tartu}/", 200, withoutImage(tartuAs(`""`))}, {"GET /api/media/{tartu.image}/", 404, `{"detail":"Not found."}`}}},
	{name: "the owner of a blocked customer goes on", as: "olev", request: "PUT …/{angstrom}/", body: jsonBody(`{"customer":"https://x/api/customers/{angstrom.customer}/","description":"d"}`), status: 200,
		want: strings.Replace(organisation["angstrom"], `""`, `"d"`, 1), events: []string{"call_managing_organisation.update {angstrom} by olev: description"}},
	{name: "the same description again", request: "PUT …/{tartu}/", body: jsonBody(`{` + own + `,"description":"Calls of Tartu"}`), status: 200, want: organisation["tartu"],
		events: changedBy("sam", "description")},
	{name: "a form", request: "PUT …/{tartu}/", body: formBody(ownForm + "&description=new&image="), status: 200, want: withoutImage(tartuAs(`"new"`)),
		events: changedBy("sam", "description, image"), then: []step{{"GET …/{tartu}/", 200, withoutImage(tartuAs(`"new"`))}}},
	{name: "multipart", request: "PUT …/{tartu}/", body: parts(text("customer", "https://x/api/customer/{tartu.customer}"), text("description", "new")), status: 200, want: tartuAs(`"new"`),
		events: changedBy("sam", "description"), then: []step{{"GET …/{tartu}/", 200, tartuAs(`"new"`)}}},

	{name: "description and image stay where they are absent", request: "PUT …/{tartu}/", body: jsonBody(`{` + own + `}`), status: 200, want: organisation["tartu"]},
	{name: "no customer", request: "PUT …/{tartu}/", body: jsonBody(`{"description":"new"}`), status: 400, want: required},
	{name: "another customer", request: "PUT …/{tartu}/", body: jsonBody(`{"customer":"https://x/api/customers/{free.customer}/","description":"new"}`), status: 400, want: other},
	{name: "the customer of nil", request: "PUT …/{tartu}/", body: jsonBody(`{"customer":"https://x/api/customers/00000000-0000-0000-0000-000000000000/","description":"new"}`), status: 400, want: noObject},
	{name: "by a member", as: "carl", request: "PUT …/{tartu}/", body: jsonBody(`{` + own + `}`), status: 403, want: mayNot},
	{name: "an id that is not known", request: "PUT …/{tartu.customer}/", body: jsonBody(`{` + own + `}`), status: 404, want: noOrganisation},
}

var partialUpdateScenarios = []scenario{
	{name: "by staff", request: "PATCH …/{tartu}/", body: jsonBody(`{"description":"new"}`), status: 200, want: tartuAs(`"new"`),
		events: changedBy("sam", "description"), then: []step{{"GET …/{tartu}/", 200, tartuAs(`"new"`)}}},
	{name: "by the customer's owner", as: "olev", request: "PATCH …/{tartu:UPPER}/", body: jsonBody(`{"description":"` + longest + `"}`), status: 200, want: tartuAs(`"` + longest + `"`),
		events: changedBy("olev", "description")},
	{name: "the image is taken away", request: "PATCH …/{tartu}/", body: jsonBody(`{"image":null}`), status: 200, want: withoutImage(organisation["tartu"]),
		events: changedBy("sam", "image"), then: []step{{"GET …/{tartu}/", 200, withoutImage(organisation["tartu"])}, {"GET /api/media/{tartu.image}/", 404, `{"detail":"Not found."}`}}},
	{name: "customer is not known here", request: "PATCH …/{tartu}/", body: jsonBody(`{"customer":5,"uuid":"x","description":"new"}`), status: 200, want: tartuAs(`"new"`),
		events: changedBy("sam", "description")},
	{name: "customer is not known in a form", request: "PATCH …/{tartu}/", body: formBody("customer=garbage&description=a&description=b"), status: 200, want: tartuAs(`"b"`),
		events: changedBy("sam", "description")},
	{name: "an empty image of a form", request: "PATCH …/{tartu}/", body: formBody("image="), status: 200, want: withoutImage(organisation["tartu"]), events: changedBy("sam", "image")},

	{name: "nothing at all, without a Content-Type", request: "PATCH …/{tartu}/", status: 200, want: organisation["tartu"]},
	{name: "nothing at all, of any type", request: "PATCH …/{tartu}/", body: rawBody("text/plain", ""), status: 200, want: organisation["tartu"]},
	{name: "nothing at all, as JSON", request: "PATCH …/{tartu}/", body: jsonBody(""), status: 200, want: organisation["tartu"]},
	{name: "nothing at all, as multipart without a boundary", request: "PATCH …/{tartu}/", body: rawBody("multipart/form-data", ""), status: 200, want: organisation["tartu"]},
	{name: "an empty object", as: "olev", request: "PATCH …/{tartu}/", body: jsonBody("{}"), status: 200, want: organisation["tartu"]},
	{name: "only the customer", request: "PATCH …/{tartu}/", body: jsonBody(`{"customer":"https://x/api/customers/{zagreb.customer}/"}`), status: 200, want: organisation["tartu"]},
	{name: "keys in another case are not known", request: "PATCH …/{tartu}/", body: jsonBody(`{"Description":"new","IMAGE":null}`), status: 200, want: organisation["tartu"]},
	{name: "a form of nothing", request: "PATCH …/{tartu}/", body: formBody("&"), status: 200, want: organisation["tartu"]},

	{name: "description null", request: "PATCH …/{tartu}/", body: jsonBody(`{"description":null}`), status: 400, want: `{"description":["This field may not be null."]}`},
	{name: "description that is a number", request: "PATCH …/{tartu}/", body: jsonBody(`{"description":5}`), status: 400, want: `{"description":["Not a valid string."]}`},
	{name: "description of 4,097 characters", request: "PATCH …/{tartu}/", body: parts(text("description", longest+"x")), status: 400, want: tooLong},
	{name: "description with a NUL", request: "PATCH …/{tartu}/", body: jsonBody(`{"description":"\u0000"}`), status: 400, want: nullText},
	{name: "description with half a character", request: "PATCH …/{tartu}/", body: jsonBody(`{"description":"\\\uD83D\ude00\ud800"}`), status: 400, want: `{"description":["Surrogate characters are not allowed: U+D800."]}`},
	{name: "description with the other half", request: "PATCH …/{tartu}/", body: jsonBody(`{"description":"\udc0a"}`), status: 400, want: `{"description":["Surrogate characters are not allowed: U+DC0A."]}`},
	{name: "description with both halves", request: "PATCH …/{tartu}/", body: jsonBody(`{"description":"\uD83D\ude00\\ud800\\\\","zzz":"\ud800"}`), status: 200, want: tartuAs(`"😀\\ud800\\\\"`), events: changedBy("sam", "description")},
	{name: "image that is a text", request: "PATCH …/{tartu}/", body: jsonBody(`{"image":"None"}`), status: 400, want: notAFile},
	{name: "a query that is not UTF-8", request: "PATCH …/{tartu}/?%FF", status: 400, want: notUTF8},
	{name: "by the owner of another customer", as: "olev", request: "PATCH …/{percent}/", status: 403, want: mayNot},
	{name: "an id that is not known", request: "PATCH …/{tartu.customer}/", status: 404, want: noOrganisation},
}
