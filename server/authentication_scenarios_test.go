package server_test

import "strings"

// refused is an Authorization header, or several in a line each, and the 401 that answers it.
func refused(name, header, detail string) scenario {
	return scenario{name: name, request: "GET …/{tartu}/", header: strings.Split("Authorization: "+header, "\n"), status: 401, want: `{"detail":"` + detail + `"}`,
		headers: map[string]string{"WWW-Authenticate": "Token", "Content-Type": "application/json"}}
}

// accepted is an Authorization header that is bob's.
func accepted(name, header string) scenario {
	return scenario{name: name, request: "GET …/{tartu}/", header: []string{"Authorization: " + header}, status: 200, want: organisation["tartu"]}
}

const noCredentials = "Authentication credentials were not provided."

var authenticationScenarios = []scenario{
	{name: "no token", as: "nobody", request: "GET …/{tartu}/", status: 401, want: `{"detail":"Authentication credentials were not provided."}`, headers: map[string]string{"WWW-Authenticate": "Token"}},
	accepted("Token", "Token token-of-bob"),
	accepted("Token in small letters", "token token-of-bob"),
	accepted("Token in capitals, with blanks", "TOKEN  token-of-bob "),
	accepted("Bearer", "Bearer token-of-bob"),
	accepted("Bearer Token, as the TypeScript client sends it", "Bearer Token token-of-bob"),
	accepted("Bearer Token in other letters, with blanks", "BEARER  token   token-of-bob"),
	accepted("a token that ends this very moment", "Token token-of-bob-until-now"),
	accepted("a token of 255 characters", "Token ~!"+strings.Repeat("x", 253)),
	{name: "staff in the name of another", request: "POST …/{tartu}/add_user/", header: []string{"Authorization: Token token-of-sam", "X-Impersonated-User-Uuid: x"}, body: role("HELPER", "bob", ""), status: 400, want: `{"detail":"Impersonation is not supported."}`},
	{name: "another in the name of another", request: "GET …/{tartu}/", header: []string{"Authorization: Token token-of-bob", "X-Impersonated-User-Uuid: x"}, status: 200, want: organisation["tartu"]},
	refused("an empty header", "", noCredentials),
	refused("another scheme", "Basic dG9rZW4=", noCredentials),
	refused("a token without a scheme", "token-of-bob", noCredentials),
	refused("a scheme that begins like one", "Tokens token-of-bob", noCredentials),
	refused("a scheme without a token", "Token", "Invalid token. No credentials provided."),
	refused("two schemes without a token", "Bearer Token ", "Invalid token."),
	refused("two tokens", "Token token-of-bob x", "Invalid token. Token string should not contain spaces."),
	refused("a token that is not UTF-8", "Token \xff", "Invalid token header. Token string should not contain invalid characters."),
	refused("an unknown token", "Token x", "Invalid token."),
	refused("an unknown token of letters that are not ASCII", "Token tökén", "Invalid token."),
	refused("an unknown token of 10,000 characters", "Token "+strings.Repeat("x", 10_000), "Invalid token."),
	refused("two headers", "Token token-of-bob\nAuthorization: Token token-of-sam", "Invalid token. Token string should not contain spaces."),
	refused("two headers of which one is no token's", "Basic dG9rZW4=\nAuthorization: Token token-of-bob", noCredentials),
	refused("a user who is not active", "Token token-of-ines", "User inactive or deleted."),
	refused("an expired token", "Token expired-token-of-bob", "Token has expired."),
	refused("an expired token of a user who is not active", "Token expired-token-of-ines", "User inactive or deleted."),
}

const invalidPage = `{"detail":"Invalid page."}`

// orderScenarios are requests of which two things are wrong: the earlier check answers.
var orderScenarios = []scenario{
	{name: "slash before method and token", as: "nobody", request: "PUT /api/call-managing-organisations?a=%FF", status: 308, headers: map[string]string{"Location": "…/?a=%FF"}},
	{name: "slash before id", as: "nobody", request: "GET …/abc", status: 301, headers: map[string]string{"Location": "…/abc/"}},
	{name: "unknown path before token", as: "nobody", request: "GET …/{tartu}/calls/", status: 404, want: `{"detail":"Not found."}`},
	{name: "method before token", as: "nobody", request: "PUT …/", status: 405, want: `{"detail":"Method \"PUT\" not allowed."}`},
	{name: "method before id", as: "nobody", request: "POST …/abc/", status: 405, want: `{"detail":"Method \"POST\" not allowed."}`},
	{name: "token before id", as: "nobody", request: "GET …/abc/", status: 401, want: `{"detail":"Authentication credentials were not provided."}`},
	{name: "token before query", as: "nobody", request: "GET …/?o=bogus&page=%FF", status: 401, want: `{"detail":"Authentication credentials were not provided."}`},
	{name: "token before body", as: "nobody", request: "POST …/", body: rawBody("text/plain", "x"), status: 401, want: `{"detail":"Authentication credentials were not provided."}`},
	{name: "id before a body that is too large", request: "PATCH …/abc/", body: jsonBody(strings.Repeat(" ", 1<<20+1)), status: 404, want: noOrganisation},
	{name: "id before type", request: "POST …/abc/add_user/", body: rawBody("text/plain", "x"), status: 404, want: noOrganisation},
	{name: "id before query", request: "GET …/abc/list_users/?o=bogus", status: 404, want: noOrganisation},
	{name: "size before type", request: "PUT …/{tartu}/", body: rawBody("text/plain", strings.Repeat(" ", 1<<20+1)), status: 413, want: `{"detail":"Request body is too large."}`},
	{name: "type before what can't be read", request: "PUT …/{tartu}/", body: rawBody("text/plain", "{\xff"), status: 415, want: `{"detail":"Unsupported media type \"text/plain\" in request."}`},
	{name: "what can't be read before fields", request: "PUT …/{tartu}/", body: jsonBody(`{"description":5}}`), status: 400, want: `{"detail":"JSON parse error - unexpected data after the value"}`},
	{name: "fields before object", request: "PUT …/{tartu.customer}/", body: jsonBody(`{"description":5}`), status: 400, want: `{"customer":["This field is required."],"description":["Not a valid string."]}`},
	{name: "fields of a role before object", request: "POST …/{tartu.customer}/add_user/", body: jsonBody(`{"user":"x"}`), status: 400, want: `{"role":["This field is required."],"user":["Must be a valid UUID."]}`},
	{name: "query before object", request: "GET …/{tartu.customer}/list_users/?o=bogus", status: 400, want: `{"o":["Select a valid choice. bogus is not one of the available choices."]}`},
	{name: "fields before permission", as: "bob", request: "PATCH …/{tartu}/", body: jsonBody(`{"description":5}`), status: 400, want: `{"description":["Not a valid string."]}`},
	{name: "fields of a new one before permission", as: "bob", request: "POST …/", body: jsonBody(`{"customer":""}`), status: 400, want: noURL},
	{name: "query before permission", as: "bob", request: "GET …/{tartu}/list_users/?field=bogus", status: 400, want: `{"field":["Select a valid choice. bogus is not one of the available choices."]}`},
	{name: "query before page", request: "GET …/?page=0&o=bogus", status: 400, want: `{"o":["Select a valid choice. bogus is not one of the available choices."]}`},
	{name: "query before a page past the end", request: "GET …/?page=9&o=bogus", status: 400, want: `{"o":["Select a valid choice. bogus is not one of the available choices."]}`},
	{name: "a page that can't be before object", request: "GET …/{tartu.customer}/list_users/?page=0", status: 404, want: invalidPage},
	{name: "object before a page past the end", request: "GET …/{tartu.customer}/list_users/?page=9", status: 404, want: noOrganisation},
	{name: "permission before a page past the end", as: "bob", request: "GET …/{tartu}/list_users/?page=9", status: 403, want: mayNot},
	{name: "object before permission", as: "bob", request: "PATCH …/{tartu.customer}/", body: jsonBody("{}"), status: 404, want: noOrganisation},
	{name: "object before permission, of a deletion", as: "bob", request: "DELETE …/{tartu.customer}/", status: 404, want: noOrganisation},
	{name: "object before permission, of a role", as: "bob", request: "POST …/{tartu.customer}/add_user/", body: role("HELPER", "bob", ""), status: 404, want: noOrganisation},
	{name: "permission before calls", as: "bob", request: "DELETE …/{tartu}/", status: 403, want: mayNot},
	{name: "permission before another customer", as: "bob", request: "PUT …/{tartu}/", body: jsonBody(`{"customer":"https://x/api/customers/{zagreb.customer}/"}`), status: 403, want: mayNot},
	{name: "permission before an image", as: "bob", request: "PATCH …/{tartu}/", body: parts(file("image", "a.svg", "", svgFile)), status: 403, want: mayNot},
	{name: "permission before a text in place of an image", as: "bob", request: "PATCH …/{tartu}/", body: parts(text("image", "x")), status: 403, want: mayNot},
	{name: "permission before role, user and time", as: "bob", request: "POST …/{tartu}/add_user/", body: role("NOBODY", "tartu", `,"expiration_time":"2027-01-01T00:00:00Z"`), status: 403, want: mayNot},
	{name: "permission before a customer that is blocked", as: "bob", request: "POST …/{angstrom}/add_user/", body: role("HELPER", "bob", ""), status: 403, want: mayNot},
	{name: "an unknown customer before permission", as: "bob", request: "POST …/", body: jsonBody(`{"customer":"https://x/api/customers/{sam}/"}`), status: 400, want: noObject},
	{name: "permission before a customer that has one", as: "bob", request: "POST …/", body: jsonBody(`{"customer":"https://x/api/customers/{tartu.customer}/"}`), status: 403, want: mayNot},
	{name: "permission before a new one's customer that is blocked", as: "bob", request: "POST …/", body: jsonBody(`{"customer":"https://x/api/customers/{blocked.customer}/"}`), status: 403, want: mayNot},
	{name: "permission before a new one's image", as: "bob", request: "POST …/", body: parts(text("customer", "https://x/api/customers/{free.customer}/"), file("image", "a", "", svgFile)), status: 403, want: mayNot},
	{name: "an unknown customer of a new one and its image together", request: "POST …/", body: parts(text("customer", "https://x/api/customers/{sam}/"), file("image", "a", "", svgFile)), status: 400,
		want: `{"customer":["Invalid hyperlink - Object does not exist."],"image":["Upload a valid image. The file you uploaded was either not an image or a corrupted image."]}`},
	{name: "image before a new one's customer that is blocked", request: "POST …/", body: parts(text("customer", "https://x/api/customers/{blocked.customer}/"), file("image", "a", "", svgFile)), status: 400, want: noImage},
	{name: "role before a customer that is blocked", request: "POST …/{angstrom}/add_user/", body: role("NOBODY", "bob", ""), status: 400, want: `{"role":["Role is not found."]}`},
	{name: "a blocked customer before one's own role", as: "carl", request: "POST …/{angstrom}/delete_user/", body: role("CUSTOMER.CALL_ORGANIZER", "carl", ""), status: 400, want: notAvailable},
	{name: "a blocked customer before who is not active", as: "olev", request: "POST …/{angstrom}/add_user/", body: role("HELPER", "ines", ""), status: 400, want: notAvailable},
	{name: "one's own role before one that is held", as: "carl", request: "POST …/{tartu}/add_user/", body: role("CUSTOMER.CALL_ORGANIZER", "carl", ""), status: 400, want: ownRole},
	{name: "who is not active before a role that is held", as: "olev", request: "POST …/{tartu}/add_user/", body: role("HELPER", "ines", ""), status: 400, want: deactivated},
	{name: "a role that is held before one that is not active", request: "POST …/{tartu}/add_user/", body: role("RETIRED", "ines", ""), status: 400, want: alreadyHeld},
	{name: "a role of another scope before one that is not active", request: "POST …/{tartu}/add_user/", body: role("CUSTOMER.SUPPORT", "bob", ""), status: 400, want: notValid},
	{name: "one's own role before one that is not held", as: "carl", request: "POST …/{tartu}/update_user/", body: role("RETIRED", "carl", ""), status: 400, want: ownRole},
	{name: "a time that is too late before one's own role", as: "jyrg", request: "POST …/{tartu}/update_user/", body: role("HELPER", "jyrg", ""), status: 400, want: tooLate},
}
