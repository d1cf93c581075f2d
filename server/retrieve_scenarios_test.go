package server_test

import "github.com/opencalls/opencalls/tests/world"

const noOrganisation = `{"detail":"No CallManagingOrganisation matches the given query."}`

var retrieveScenarios = []scenario{
	{name: "an organisation, by whoever is signed in", as: "bob", request: "GET …/{tartu}/", status: 200, want: organisation["tartu"],
		headers: map[string]string{"Content-Type": "application/json"}},
	{name: "an organisation of which much is empty", request: "GET …/{zagreb}/", status: 200, want: organisation["zagreb"]},
	{name: "an id without dashes", request: "GET …/{tartu:hex}/", status: 200, want: organisation["tartu"]},
	{name: "an id in capitals", request: "GET …/{tartu:UPPER}/", status: 200, want: organisation["tartu"]},
	{name: "filters of the list are ignored, wrong ones too", request: "GET …/{tartu}/?customer_uuid=x&o=y&page=0", status: 200, want: organisation["tartu"]},
	{name: "an id that is not known", request: "GET …/{tartu.customer}/", status: 404, want: noOrganisation},
	{name: "a query that is not UTF-8", request: "GET …/{tartu}/?zzz=%FF", status: 400, want: notUTF8},
	{name: "a body, which nobody reads", request: "GET …/{tartu}/", body: jsonBody("{"), status: 200, want: organisation["tartu"]},
}

var statsScenarios = []scenario{
	{name: "what counts in the calls of an organisation, by whoever is signed in", as: "bob", request: "GET …/{tartu}/stats/", status: 200,
		want: `{"open_calls":2,"active_rounds":4,"accepted_proposals":2,"pending_proposals":3,"pending_review":4,` +
			`"rounds_closing_in_one_week":4,"calls_closing_in_one_week":1,"offering_requests_pending":1}`},
	{name: "an organisation without calls", request: "GET …/{zagreb}/stats/", status: 200,
		want: `{"open_calls":0,"active_rounds":0,"accepted_proposals":0,"pending_proposals":0,"pending_review":0,` +
			`"rounds_closing_in_one_week":0,"calls_closing_in_one_week":0,"offering_requests_pending":0}`},
	{name: "an id that is not known", request: "GET …/{tartu.customer}/stats/", status: 404, want: noOrganisation},
	{name: "a query that is not UTF-8", request: "GET …/{tartu}/stats/?zzz=%FF", status: 400, want: notUTF8},
}

const hasCalls = `{"detail":"Cannot delete this call manager as there are existing connected calls or user permissions."}`

var destroyScenarios = []scenario{
	{name: "by staff", request: "DELETE …/{percent}/", status: 204,
		events: []string{"call_managing_organisation.delete {percent} by sam"},
		then: []step{
			{"GET …/{percent}/", 404, noOrganisation},
			{"GET …/", 200, list("angstrom", "tartu", "zagreb")},
		}},
	{name: "by the customer's owner", as: "olev", request: "DELETE …/{zagreb:hex}/", status: 204,
		events: []string{"call_managing_organisation.delete {zagreb} by olev"},
		then:   []step{{"GET …/{zagreb}/", 404, noOrganisation}}},
	{name: "with a body, which nobody reads", request: "DELETE …/{zagreb}/", body: rawBody("text/plain", "x"), status: 204,
		events: []string{"call_managing_organisation.delete {zagreb} by sam"}},
	{name: "roles are granted on it, and its customer is blocked", as: "olev", request: "DELETE …/{angstrom}/", status: 204,
		events: []string{"call_managing_organisation.delete {angstrom} by olev"},
		then:   []step{{"GET …/{angstrom}/list_users/", 404, noOrganisation}}},
	{name: "it has calls", as: "olev", request: "DELETE …/{tartu}/", status: 400, want: hasCalls},
	{name: "by a member", as: "carl", request: "DELETE …/{tartu}/", status: 403, want: mayNot},
	{name: "an id that is not known", request: "DELETE …/{tartu.customer}/", status: 404, want: noOrganisation},
	{name: "a query that is not UTF-8", request: "DELETE …/{zagreb}/?zzz=%FF", status: 400, want: notUTF8},
}

const mayNot = `{"detail":"You do not have permission to perform this action."}`

var (
	tartuImage   = world.PNG(1, 1, 200)
	imageHeaders = map[string]string{
		"ETag": `"284e1a590d5ee5d331e2a0351c2a8ac49f55b7428d4f72d5769bd716deb44961"`, "Cache-Control": "public, max-age=31536000, immutable",
		"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff",
	}
)

// plainScenarios are those of the routes outside of openapi.yaml, and of none. The page at
// /api/docs/ and the file at /api/schema/ have tests of their own.
var plainScenarios = []scenario{
	{name: "the process is up", as: "nobody", request: "GET /healthz", status: 200, want: `{"status":"ok"}`, headers: map[string]string{"Content-Type": "application/json"}},
	{name: "the database is up", as: "nobody", request: "GET /readyz", status: 200, want: `{"status":"ok"}`},

	{name: "an image", as: "nobody", request: "GET /api/media/{tartu.image}/", status: 200, want: tartuImage, headers: imageHeaders},
	{name: "a part of an image, which is all of it", as: "nobody", request: "GET /api/media/{tartu.image}/", header: []string{"Range: bytes=0-3"}, status: 200, want: tartuImage, headers: map[string]string{"Accept-Ranges": ""}},
	{name: "an image that the client has", as: "nobody", request: "GET /api/media/{tartu.image}/", header: []string{"If-None-Match: " + imageHeaders["ETag"]}, status: 304, headers: imageHeaders},
	{name: "an image of which the client has another", as: "nobody", request: "GET /api/media/{tartu.image}/", header: []string{`If-None-Match: "x"`}, status: 200, want: tartuImage, headers: imageHeaders},
	{name: "an unknown image", as: "nobody", request: "GET /api/media/{tartu}/", status: 404, want: `{"detail":"Not found."}`},
	{name: "an image with an id that is none", as: "nobody", request: "GET /api/media/abc/", status: 404, want: `{"detail":"Not found."}`},

	{name: "the schema without the last slash", as: "nobody", request: "GET /api/schema?format=json", status: 301, headers: map[string]string{"Location": "/api/schema/?format=json"}},
	{name: "a method that the schema does not have", as: "nobody", request: "POST /api/schema/", status: 405, want: `{"detail":"Method \"POST\" not allowed."}`},

	{name: "an unknown path", as: "nobody", request: "GET /api/unknown/", status: 404, want: `{"detail":"Not found."}`, headers: map[string]string{"Content-Type": "application/json"}},
	{name: "an unknown path, whatever the method", as: "nobody", request: "DELETE /api/", status: 404, want: `{"detail":"Not found."}`},
	{name: "an unknown path below a known one", as: "nobody", request: "GET …/{tartu}/unknown/", status: 404, want: `{"detail":"Not found."}`},
	{name: "an unknown path without its last slash", as: "nobody", request: "POST …/{tartu}/unknown", status: 404, want: `{"detail":"Not found."}`},
	{name: "a path with a slash too many at its end", as: "nobody", request: "GET …/{tartu}//", status: 404, want: `{"detail":"Not found."}`},
	{name: "a path in capitals", as: "nobody", request: "GET /API/call-managing-organisations/", status: 404, want: `{"detail":"Not found."}`},
	{name: "a path with a NUL", as: "nobody", request: "GET /%00", status: 404, want: `{"detail":"Not found."}`},
}
