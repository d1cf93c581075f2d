package server_test

import "strings"

const (
	// newUserID is the first id that a request takes.
	newUserID  = "11111111-0000-7000-8000-000000000001"
	takenName  = `{"username":["user with this username already exists."]}`
	wrongName  = `{"username":["Enter a valid username."]}`
	wrongEmail = `{"email":["Enter a valid email address."]}`
	staffOnly  = `["Only staff can change this field."]`
)

// newUser is the answer to a create of new, with what it says from the slug on.
func newUser(slug, fullName, firstName, lastName, nativeName, image, flags string) string {
	return `{"url":"https://calls.example.com/api/users/` + newUserID + `/","uuid":"` + newUserID + `","username":"new","slug":"` + slug + `","full_name":"` + fullName +
		`","first_name":"` + firstName + `","last_name":"` + lastName + `","native_name":"` + nativeName + `","email":"new@example.com","image":` + image + `,` + flags +
		`,"date_joined":"2027-01-31T12:30:45.123456Z","agreement_date":"2027-01-31T12:30:45.123456Z","permissions":[]}`
}

const plainFlags = `"is_staff":false,"is_support":false,"is_active":true`

var (
	plainUser     = newUser("new", "", "", "", "", "null", plainFlags)
	newUserEvents = []string{"user.create " + newUserID + " by sam"}
)

// createUser is a create of new with more fields.
func createUser(more string) body {
	return jsonBody(`{"username":"new","email":"new@example.com"` + more + `}`)
}

var createUserScenarios = []scenario{
	{name: "by staff", request: "POST /api/users/", body: createUser(""), status: 201, want: plainUser, events: newUserEvents,
		headers: map[string]string{"Location": "https://calls.example.com/api/users/" + newUserID + "/"},
		then:    []step{{"GET /api/users/" + newUserID + "/", 200, plainUser}, {"GET /api/users/?query=NEW%40&field=username", 200, usersNamed("new")}}},
	{name: "everything", request: "POST /api/users/", status: 201,
		body:   createUser(`,"slug":"The-New_1","first_name":"Nils","last_name":"Neu","native_name":"Нил","is_staff":true,"is_support":true,"is_active":false,"image":null`),
		want:   newUser("The-New_1", "Nils Neu", "Nils", "Neu", "Нил", "null", `"is_staff":true,"is_support":true,"is_active":false`),
		events: newUserEvents, then: []step{{"GET /api/users/?o=full_name&full_name=NEU&field=username", 200, usersNamed("new")}}},
	{name: "what isn't known is ignored", request: "POST /api/users/", body: createUser(`,"uuid":5,"token":"x","agree_with_policy":true,"password":"secret"`), status: 201, want: plainUser, events: newUserEvents},
	{name: "a form", request: "POST /api/users/", body: formBody("username=new&email=new%40example.com&first_name=Nils+N&is_staff=True&is_support=false&is_active=true"), status: 201,
		want: newUser("new", "Nils N", "Nils N", "", "", "null", `"is_staff":true,"is_support":false,"is_active":true`), events: newUserEvents},
	{name: "multipart with an image", request: "POST /api/users/", status: 201, events: newUserEvents,
		body: parts(text("username", "new"), text("email", "new@example.com"), text("is_active", "true"), file("image", "a.png", "image/png", pngFile)),
		want: newUser("new", "", "", "", "", `"{media}/11111111-0000-7000-8000-000000000002/"`, plainFlags),
		then: []step{{"GET /api/media/11111111-0000-7000-8000-000000000002/", 200, pngFile}}},

	{name: "nothing required", request: "POST /api/users/", body: jsonBody(`{}`), status: 400, want: `{"email":["This field is required."],"username":["This field is required."]}`},
	{name: "a username with capitals", request: "POST /api/users/", body: jsonBody(`{"username":"New","email":"new@example.com"}`), status: 400, want: wrongName},
	{name: "a username with a blank", request: "POST /api/users/", body: jsonBody(`{"username":"new user","email":"new@example.com"}`), status: 400, want: wrongName},
	{name: "a username with a line's end", request: "POST /api/users/", body: jsonBody(`{"username":"new\n","email":"new@example.com"}`), status: 400, want: wrongName},
	{name: "an empty username", request: "POST /api/users/", body: jsonBody(`{"username":"","email":"new@example.com"}`), status: 400, want: `{"username":["This field may not be blank."]}`},
	{name: "a username of 129 characters", request: "POST /api/users/", body: jsonBody(`{"username":"` + strings.Repeat("x", 129) + `","email":"new@example.com"}`), status: 400,
		want: `{"username":["Ensure this field has no more than 128 characters."]}`},
	{name: "a username of another user", request: "POST /api/users/", body: jsonBody(`{"username":"bob","email":"new@example.com"}`), status: 400, want: takenName},
	{name: "an e-mail address that is none", request: "POST /api/users/", body: jsonBody(`{"username":"new","email":"new"}`), status: 400, want: wrongEmail},
	{name: "an empty e-mail address", request: "POST /api/users/", body: jsonBody(`{"username":"new","email":""}`), status: 400, want: `{"email":["This field may not be blank."]}`},
	{name: "an e-mail address that is a number", request: "POST /api/users/", body: jsonBody(`{"username":"new","email":5}`), status: 400, want: `{"email":["Not a valid string."]}`},
	{name: "names that are too long", request: "POST /api/users/", status: 400,
		body: createUser(`,"first_name":"` + longest + `","last_name":"` + longest + `","native_name":"` + longest + `","slug":"` + strings.Repeat("x", 51) + `"`),
		want: `{"first_name":["Ensure this field has no more than 100 characters."],"last_name":["Ensure this field has no more than 100 characters."],` +
			`"native_name":["Ensure this field has no more than 100 characters."],"slug":["Ensure this field has no more than 50 characters."]}`},
	{name: "a name with a NUL, and a slug with a dot", request: "POST /api/users/", body: createUser(`,"first_name":"\u0000","slug":"a.b"`), status: 400,
		want: `{"first_name":["Null characters are not allowed."],"slug":["Enter a valid slug."]}`},
	{name: "a flag that is a text", request: "POST /api/users/", body: createUser(`,"is_staff":"true","is_active":null`), status: 400,
		want: `{"is_active":["This field may not be null."],"is_staff":["Must be a valid boolean."]}`},
	{name: "a flag of a form that is none", request: "POST /api/users/", body: formBody("username=new&email=new%40example.com&is_staff=maybe&is_active="), status: 400,
		want: `{"is_active":["Must be a valid boolean."],"is_staff":["Must be a valid boolean."]}`},
	{name: "a username of another user and an image that is none", request: "POST /api/users/", status: 400,
		body: parts(text("username", "bob"), text("email", "new@example.com"), file("image", "a.svg", "image/svg+xml", svgFile)),
		want: strings.TrimSuffix(noImage, "}") + "," + strings.TrimPrefix(takenName, "{")},
	{name: "by support", as: "sue", request: "POST /api/users/", body: createUser(""), status: 403, want: mayNot},
	{name: "by an owner, with a username of another user", as: "olev", request: "POST /api/users/", body: jsonBody(`{"username":"bob","email":"new@example.com"}`), status: 403, want: mayNot},
}

// bobWith is what bob sees of themselves after a change.
func bobWith(replacements ...string) string {
	return strings.NewReplacer(replacements...).Replace(shownUser["bob"] + `,"token":"token-of-bob","token_expires_at":null,"permissions":[]}`)
}

// userChanged are the audit events of a change of a user.
func userChanged(user, by, what string) []string {
	return []string{"user.update {" + user + "} by " + by + ": " + what}
}

var partialUpdateUserScenarios = []scenario{
	{name: "names, by oneself", as: "bob", request: "PATCH /api/users/{bob}/", body: jsonBody(`{"first_name":"Bo","last_name":"Builder","native_name":"Боб"}`), status: 200,
		want:   bobWith(`"full_name":"Bob Builder","first_name":"Bob Builder","last_name":"","native_name":""`, `"full_name":"Bo Builder","first_name":"Bo","last_name":"Builder","native_name":"Боб"`),
		events: userChanged("bob", "bob", "first_name, last_name, native_name"),
		then:   []step{{"GET /api/users/?full_name=bo+b&field=full_name,native_name", 200, `[{"full_name":"Bo Builder","native_name":"Боб"}]`}}},
	{name: "a form, by oneself", as: "bob", request: "PATCH /api/users/{bob:hex}/", body: formBody("last_name=Q&is_staff=false&image="), status: 200,
		want:   bobWith(`"full_name":"Bob Builder"`, `"full_name":"Bob Builder Q"`, `"last_name":""`, `"last_name":"Q"`),
		events: userChanged("bob", "bob", "last_name, is_staff false, image")},
	{name: "an image, by oneself", as: "carl", request: "PATCH /api/users/{carl}/", body: parts(file("image", "a.png", "image/png", pngFile)), status: 200,
		want: strings.Replace(carlHimself, `"{media}/{carl.image}/"`, newImage, 1), events: userChanged("carl", "carl", "image"),
		then: []step{{"GET " + newMedia, 200, pngFile}, {"GET /api/media/{carl.image}/", 404, gone}}},
	{name: "no image any more, by staff", request: "PATCH /api/users/{sam}/", body: jsonBody(`{"image":null}`), status: 200,
		want: strings.Replace(samFields, `"{media}/{sam.image}/"`, "null", 1), events: userChanged("sam", "sam", "image"),
		then: []step{{"GET /api/media/{sam.image}/", 404, gone}}},
	{name: "everything, by staff", request: "PATCH /api/users/{bob}/", status: 200,
		body: jsonBody(`{"slug":"b","first_name":"B","last_name":"","native_name":"","is_staff":true,"is_support":true,"is_active":false}`),
		want: strings.NewReplacer(`"slug":"bob"`, `"slug":"b"`, `"Bob Builder"`, `"B"`, `"image":null`, `"image":null,"is_staff":true,"is_support":true,"is_active":false`).
			Replace(shownUser["bob"]) + `,"permissions":[]}`,
		events: userChanged("bob", "sam", "slug, first_name, last_name, native_name, is_staff true, is_support true, is_active false"),
		then:   []step{{"GET /api/users/?is_active=false&o=username&field=username,slug", 200, `[{"username":"bob","slug":"b"},{"username":"ines","slug":"ines"}]`}}},
	{name: "nothing", as: "bob", request: "PATCH /api/users/{bob}/", status: 200, want: bobWith()},
	{name: "the flags that are there, by oneself", as: "bob", request: "PATCH /api/users/{bob}/", body: jsonBody(`{"slug":"bob","is_active":true}`), status: 200, want: bobWith(),
		events: userChanged("bob", "bob", "slug, is_active true")},
	{name: "the username and the address stay", request: "PATCH /api/users/{sam}/", body: jsonBody(`{"username":"other","email":"other@example.com","uuid":"x"}`), status: 200, want: samFields},

	{name: "the flags, by oneself", as: "bob", request: "PATCH /api/users/{bob}/", body: jsonBody(`{"is_staff":true,"is_support":true,"is_active":false,"slug":"x","first_name":"Bo"}`), status: 400,
		want: `{"is_active":` + staffOnly + `,"is_staff":` + staffOnly + `,"is_support":` + staffOnly + `,"slug":` + staffOnly + `}`},
	{name: "a flag that is a text", request: "PATCH /api/users/{bob}/", body: jsonBody(`{"is_staff":"yes"}`), status: 400, want: `{"is_staff":["Must be a valid boolean."]}`},
	{name: "an empty slug", request: "PATCH /api/users/{bob}/", body: jsonBody(`{"slug":""}`), status: 400, want: `{"slug":["Enter a valid slug."]}`},
	{name: "a name of 101 characters", as: "bob", request: "PATCH /api/users/{bob}/", body: jsonBody(`{"first_name":"` + strings.Repeat("ü", 101) + `"}`), status: 400,
		want: `{"first_name":["Ensure this field has no more than 100 characters."]}`},
	{name: "an image that is none", as: "bob", request: "PATCH /api/users/{bob}/", body: parts(text("first_name", "Bo"), file("image", "a.svg", "image/svg+xml", svgFile)), status: 400, want: noImage},
	{name: "somebody in the team, by its owner", as: "olev", request: "PATCH /api/users/{carl}/", body: jsonBody(`{"first_name":"x"}`), status: 403, want: mayNot},
	{name: "somebody, by support", as: "sue", request: "PATCH /api/users/{bob}/", body: jsonBody(`{"first_name":"x"}`), status: 403, want: mayNot},
	{name: "a stranger", as: "bob", request: "PATCH /api/users/{carl}/", body: jsonBody(`{"first_name":"x"}`), status: 404, want: noUser},
	{name: "nobody", request: "PATCH /api/users/{tartu}/", body: jsonBody(`{"first_name":"x"}`), status: 404, want: noUser},
}

// carlHimself is what carl sees of himself.
var carlHimself = shownUser["carl"] + `,"token":"token-of-carl","token_expires_at":null,"permissions":[` + carlOnAngstrom + "," + carlOnTartu + `]}`
