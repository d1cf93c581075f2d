package server_test

const (
	alreadyHeld = `{"non_field_errors":["User has already the same role in this scope."]}`
	ownRole     = `{"non_field_errors":["User can not manage own role."]}`
	notValid    = `{"non_field_errors":["Role is not valid for this scope."]}`
	notActive   = `{"non_field_errors":["Role is not active."]}`
	deactivated = `{"non_field_errors":["Only staff users can assign roles to deactivated users."]}`
	notHeld     = `{"non_field_errors":["User does not have this role in this scope."]}`
	tooLate     = `{"expiration_time":["Expiration time must not be later than that of your own role."]}`
	past        = `{"expiration_time":["Expiration time should be greater than current time."]}`

	march   = `{"expiration_time":"2027-03-01T00:00:00Z"}`
	april   = `{"expiration_time":"2027-04-01T00:00:00Z"}`
	forever = `{"expiration_time":null}`
)

// role is the body of a role action; rest is what follows role and user.
func role(role, user, rest string) body {
	return jsonBody(`{"role":"` + role + `","user":"{` + user + `}"` + rest + `}`)
}

const untilApril = `,"expiration_time":"2027-04-01T00:00:00Z"`

// grantedBy are the events of a new grant, after those of one that it takes the place of.
func grantedBy(user, until string, ended ...string) []string {
	var events []string
	id := "11111111-0000-7000-8000-000000000001"
	for _, grant := range ended {
		events = append(events, "user_role.revoke {"+grant+"} by "+user)
		id = "11111111-0000-7000-8000-000000000002" // the first id is the event's
	}
	return append(events, "user_role.create "+id+" by "+user+": until "+until)
}

// shows is a step: who holds which roles on tartu until when.
func shows(user, found string) []step {
	return []step{{"GET …/{tartu}/list_users/?user={" + user + "}&field=role_name,expiration_time,created_by_full_name&o=role", 200, found}}
}

var addUserScenarios = []scenario{
	{name: "by the customer's owner, for good", as: "olev", request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", ""), status: 201, want: forever,
		headers: map[string]string{"Content-Type": "application/json"}, events: grantedBy("olev", "further notice"),
		then: shows("bob", `[{"expiration_time":null,"role_name":"HELPER","created_by_full_name":"Olev Owner"}]`)},
	{name: "by a member, until a time of another zone", as: "carl", request: "POST …/{tartu:hex}/add_user/", body: role("{HELPER}", "bob", `,"expiration_time":"2027-04-01T02:00:00.1234567+02:00"`), status: 201,
		want: `{"expiration_time":"2027-04-01T00:00:00.123456Z"}`, events: grantedBy("carl", "2027-04-01T00:00:00.123456Z"),
		then: shows("bob", `[{"expiration_time":"2027-04-01T00:00:00.123456Z","role_name":"HELPER","created_by_full_name":"Carl Clerk"}]`)},
	{name: "until a date, its midnight in UTC", request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", `,"expiration_time":"2027-04-01"`), status: 201, want: april, events: grantedBy("sam", "2027-04-01T00:00:00Z")},
	{name: "until a time without a zone, in UTC", request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", `,"expiration_time":"2027-04-01T01:02:03.25"`), status: 201,
		want: `{"expiration_time":"2027-04-01T01:02:03.250000Z"}`, events: grantedBy("sam", "2027-04-01T01:02:03.25Z")},
	{name: "until a time in lower case", request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", `,"expiration_time":"2027-04-01t00:00:00z"`), status: 201, want: april, events: grantedBy("sam", "2027-04-01T00:00:00Z")},
	{name: "multipart, until a date", request: "POST …/{tartu}/add_user/", body: parts(text("role", "HELPER"), text("user", "{bob}"), text("expiration_time", "2027-04-01")), status: 201, want: april, events: grantedBy("sam", "2027-04-01T00:00:00Z")},
	{name: "an empty time of a form is null", request: "POST …/{tartu}/add_user/", body: formBody("role=HELPER&user={bob}&expiration_time="), status: 201, want: forever, events: grantedBy("sam", "further notice")},
	{name: "an empty time of multipart is null", request: "POST …/{tartu}/add_user/", body: parts(text("role", "HELPER"), text("user", "{bob}"), text("expiration_time", "")), status: 201, want: forever, events: grantedBy("sam", "further notice")},
	{name: "until this very moment", request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", `,"expiration_time":"2027-01-31T12:30:45.123456Z"`), status: 201,
		want: `{"expiration_time":"2027-01-31T12:30:45.123456Z"}`, events: grantedBy("sam", "2027-01-31T12:30:45.123456Z")},
	{name: "null is for good", request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", `,"expiration_time":null`), status: 201, want: forever, events: grantedBy("sam", "further notice")},
	{name: "ids without dashes and in capitals", request: "POST …/{tartu}/add_user/", body: jsonBody(`{"role":"{HELPER:hex}","user":"{bob:UPPER}","zzz":1}`), status: 201, want: forever, events: grantedBy("sam", "further notice")},
	{name: "a form", request: "POST …/{tartu}/add_user/", body: formBody("role=HELPER&user=x&user={bob}&expiration_time=2027-04-01T00:00:00Z"), status: 201, want: april, events: grantedBy("sam", "2027-04-01T00:00:00Z")},
	{name: "another role of who holds one", request: "POST …/{tartu}/add_user/", body: role("HELPER", "carl", ""), status: 201, want: forever, events: grantedBy("sam", "further notice"),
		then: shows("carl", `[{"expiration_time":null,"role_name":"CUSTOMER.CALL_ORGANIZER","created_by_full_name":"Olev Owner"},{"expiration_time":null,"role_name":"HELPER","created_by_full_name":"Sam Staff"}]`)},
	{name: "staff gives a role to itself", request: "POST …/{tartu}/add_user/", body: role("HELPER", "sam", ""), status: 201, want: forever, events: grantedBy("sam", "further notice")},
	{name: "the customer's owner too", as: "olev", request: "POST …/{tartu}/add_user/", body: role("HELPER", "olev", ""), status: 201, want: forever, events: grantedBy("olev", "further notice")},
	{name: "staff gives a role to who is not active", request: "POST …/{zagreb}/add_user/", body: role("HELPER", "ines", ""), status: 201, want: forever, events: grantedBy("sam", "further notice")},
	{name: "a longer one takes the place of a shorter one", as: "carl", request: "POST …/{tartu}/add_user/", body: role("HELPER", "jyrg", untilApril), status: 201, want: april,
		events: grantedBy("carl", "2027-04-01T00:00:00Z", "jyrg:HELPER:tartu"),
		then:   shows("jyrg", `[{"expiration_time":"2027-03-01T00:00:00Z","role_name":"CUSTOMER.CALL_ORGANIZER"},{"expiration_time":"2027-04-01T00:00:00Z","role_name":"HELPER","created_by_full_name":"Carl Clerk"}]`)},
	{name: "a permanent one takes the place of a temporary one", request: "POST …/{tartu}/add_user/", body: role("HELPER", "nora", ""), status: 201, want: forever,
		events: grantedBy("sam", "further notice", "nora:HELPER:tartu"), then: shows("nora", `[{"expiration_time":null,"role_name":"HELPER","created_by_full_name":"Sam Staff"}]`)},
	{name: "a new one takes the place of an expired one", request: "POST …/{tartu}/add_user/", body: role("HELPER", "erik", untilApril), status: 201, want: april,
		events: grantedBy("sam", "2027-04-01T00:00:00Z", "erik:HELPER:tartu"), then: shows("erik", `[{"expiration_time":"2027-04-01T00:00:00Z","role_name":"HELPER","created_by_full_name":"Sam Staff"}]`)},
	{name: "what was revoked can be given again", request: "POST …/{tartu}/add_user/", body: role("HELPER", "rita", ""), status: 201, want: forever, events: grantedBy("sam", "further notice")},
	{name: "as long as one's own role", as: "jyrg", request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", `,"expiration_time":"2027-03-01T00:00:00.0000009Z"`), status: 201, want: march, events: grantedBy("jyrg", "2027-03-01T00:00:00Z")},

	{name: "who holds the role for good", request: "POST …/{tartu}/add_user/", body: role("CUSTOMER.CALL_ORGANIZER", "carl", ""), status: 400, want: alreadyHeld},
	{name: "a temporary one where there is one for good", request: "POST …/{tartu}/add_user/", body: role("CUSTOMER.CALL_ORGANIZER", "carl", untilApril), status: 400, want: alreadyHeld},
	{name: "a shorter one", request: "POST …/{tartu}/add_user/", body: role("HELPER", "jyrg", `,"expiration_time":"2027-02-01T00:00:00Z"`), status: 400, want: alreadyHeld},
	{name: "one as long", request: "POST …/{tartu}/add_user/", body: role("HELPER", "jyrg", `,"expiration_time":"2027-03-01T00:00:00.0000009Z"`), status: 400, want: alreadyHeld},
	{name: "a role of another scope", request: "POST …/{tartu}/add_user/", body: role("CUSTOMER.OWNER", "bob", ""), status: 400, want: notValid},
	{name: "a role of another scope that is not active either", request: "POST …/{tartu}/add_user/", body: role("CUSTOMER.SUPPORT", "bob", ""), status: 400, want: notValid},
	{name: "a role that is not active", request: "POST …/{tartu}/add_user/", body: role("RETIRED", "bob", ""), status: 400, want: notActive},
	{name: "a role to oneself, by who may only on the organisation", as: "carl", request: "POST …/{tartu}/add_user/", body: role("HELPER", "carl", ""), status: 400, want: ownRole},
	{name: "a role to oneself beside another's name", as: "carl", request: "POST …/{tartu}/add_user/?user={bob}", body: jsonBody(`{"role":"HELPER","user":"{bob}","user":"{carl}"}`), status: 400, want: ownRole},
	{name: "who is not active, by who is not staff", as: "olev", request: "POST …/{zagreb}/add_user/", body: role("HELPER", "ines", ""), status: 400, want: deactivated},
	{name: "longer than one's own role", as: "jyrg", request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", `,"expiration_time":"2027-03-01T00:00:00.000001Z"`), status: 400, want: tooLate},
	{name: "for good, by whose own role ends", as: "jyrg", request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", ""), status: 400, want: tooLate},
	{name: "the customer is blocked", request: "POST …/{angstrom}/add_user/", body: role("HELPER", "bob", ""), status: 400, want: notAvailable},

	{name: "by a user without a role", as: "bob", request: "POST …/{tartu}/add_user/", body: role("HELPER", "bob", ""), status: 403, want: mayNot},
}

var updateUserScenarios = []scenario{
	{name: "until another time", as: "carl", request: "POST …/{tartu}/update_user/", body: role("HELPER", "jyrg", untilApril), status: 200, want: april,
		events: []string{"user_role.update {jyrg:HELPER:tartu} by carl: until 2027-04-01T00:00:00Z, before that 2027-03-01T00:00:00Z"},
		then:   shows("jyrg", `[{"expiration_time":"2027-03-01T00:00:00Z","role_name":"CUSTOMER.CALL_ORGANIZER"},{"expiration_time":"2027-04-01T00:00:00Z","role_name":"HELPER"}]`)},
	{name: "sooner, in a form", as: "olev", request: "POST …/{tartu}/update_user/", body: formBody("role={CUSTOMER.CALL_ORGANIZER}&user={carl}&expiration_time=2027-02-01T00:00:00%2B01:00"), status: 200,
		want:   `{"expiration_time":"2027-01-31T23:00:00Z"}`,
		events: []string{"user_role.update {carl:CUSTOMER.CALL_ORGANIZER:tartu} by olev: until 2027-01-31T23:00:00Z, before that further notice"}},
	{name: "null is for good", request: "POST …/{tartu}/update_user/", body: role("HELPER", "nora", `,"expiration_time":null`), status: 200, want: forever,
		events: []string{"user_role.update {nora:HELPER:tartu} by sam: until further notice, before that 2027-01-31T12:30:45.123456Z"},
		then:   shows("nora", `[{"expiration_time":null,"role_name":"HELPER"}]`)},
	{name: "no time is for good", request: "POST …/{tartu}/update_user/", body: role("HELPER", "nora", ""), status: 200, want: forever,
		events: []string{"user_role.update {nora:HELPER:tartu} by sam: until further notice, before that 2027-01-31T12:30:45.123456Z"}},
	{name: "of who is not active", as: "olev", request: "POST …/{tartu}/update_user/", body: role("HELPER", "ines", ""), status: 200, want: forever,
		events: []string{"user_role.update {ines:HELPER:tartu} by olev: until further notice, before that further notice"}},

	{name: "of a role that is not active", request: "POST …/{tartu}/update_user/", body: role("RETIRED", "ines", untilApril), status: 200, want: april,
		events: []string{"user_role.update {ines:RETIRED:tartu} by sam: until 2027-04-01T00:00:00Z, before that further notice"}},

	{name: "a role that is not held", request: "POST …/{tartu}/update_user/", body: role("HELPER", "bob", ""), status: 400, want: notHeld},
	{name: "a role that is held no longer", request: "POST …/{tartu}/update_user/", body: role("HELPER", "rita", untilApril), status: 400, want: notHeld},
	{name: "a role that is expired", request: "POST …/{tartu}/update_user/", body: role("HELPER", "erik", untilApril), status: 400, want: notHeld},
	{name: "a role that is held elsewhere", request: "POST …/{zagreb}/update_user/", body: role("HELPER", "nora", ""), status: 400, want: notHeld},
	{name: "a role of another scope", request: "POST …/{tartu}/update_user/", body: role("CUSTOMER.OWNER", "olev", ""), status: 400, want: notHeld},
	{name: "one's own role, by who may only on the organisation", as: "carl", request: "POST …/{tartu}/update_user/", body: role("CUSTOMER.CALL_ORGANIZER", "carl", ""), status: 400, want: ownRole},
	{name: "sooner, by whose own role ends", as: "jyrg", request: "POST …/{tartu}/update_user/", body: role("CUSTOMER.CALL_ORGANIZER", "carl", `,"expiration_time":"2027-03-01T00:00:00Z"`), status: 200, want: march,
		events: []string{"user_role.update {carl:CUSTOMER.CALL_ORGANIZER:tartu} by jyrg: until 2027-03-01T00:00:00Z, before that further notice"}},
	{name: "for good, by whose own role ends", as: "jyrg", request: "POST …/{tartu}/update_user/", body: role("HELPER", "nora", `,"expiration_time":null`), status: 400, want: tooLate},
	{name: "the customer is blocked", request: "POST …/{angstrom}/update_user/", body: role("CUSTOMER.CALL_ORGANIZER", "carl", ""), status: 400, want: notAvailable},
	{name: "by a member without the permission", as: "nora", request: "POST …/{tartu}/update_user/", body: role("HELPER", "jyrg", ""), status: 403, want: mayNot},
}

var deleteUserScenarios = []scenario{
	{name: "a role that is held", as: "olev", request: "POST …/{tartu}/delete_user/", body: role("CUSTOMER.CALL_ORGANIZER", "carl", ""), status: 200,
		events: []string{"user_role.revoke {carl:CUSTOMER.CALL_ORGANIZER:tartu} by olev"}, then: shows("carl", "[]")},
	{name: "one of two roles, in a form", as: "carl", request: "POST …/{tartu}/delete_user/", body: formBody("role=HELPER&user={jyrg}"), status: 200,
		events: []string{"user_role.revoke {jyrg:HELPER:tartu} by carl"}, then: shows("jyrg", `[{"expiration_time":"2027-03-01T00:00:00Z","role_name":"CUSTOMER.CALL_ORGANIZER"}]`)},
	{name: "a time that does not matter", request: "POST …/{tartu}/delete_user/", body: role("HELPER", "nora", untilApril), status: 200,
		events: []string{"user_role.revoke {nora:HELPER:tartu} by sam"}, then: shows("nora", "[]")},
	{name: "by whose own role ends", as: "jyrg", request: "POST …/{tartu}/delete_user/", body: role("HELPER", "nora", ""), status: 200, events: []string{"user_role.revoke {nora:HELPER:tartu} by jyrg"}},
	{name: "of who is not active", as: "carl", request: "POST …/{tartu}/delete_user/", body: role("HELPER", "ines", ""), status: 200, events: []string{"user_role.revoke {ines:HELPER:tartu} by carl"}},

	{name: "a role that is not active", request: "POST …/{tartu}/delete_user/", body: role("RETIRED", "ines", ""), status: 200, events: []string{"user_role.revoke {ines:RETIRED:tartu} by sam"}},
	{name: "a role that is expired", request: "POST …/{tartu}/delete_user/", body: role("HELPER", "erik", ""), status: 200, events: []string{"user_role.revoke {erik:HELPER:tartu} by sam"}},
	{name: "a role that is not held", request: "POST …/{tartu}/delete_user/", body: role("HELPER", "bob", ""), status: 200},
	{name: "a role that is held no longer", request: "POST …/{tartu}/delete_user/", body: role("HELPER", "rita", ""), status: 200},
	{name: "a role of another scope", request: "POST …/{tartu}/delete_user/", body: role("CUSTOMER.OWNER", "olev", ""), status: 200},
	{name: "a role that is held elsewhere", request: "POST …/{zagreb}/delete_user/", body: role("HELPER", "nora", ""), status: 200},

	{name: "one's own role, by who may only on the organisation", as: "carl", request: "POST …/{tartu}/delete_user/", body: role("CUSTOMER.CALL_ORGANIZER", "carl", ""), status: 400, want: ownRole},
	{name: "the customer is blocked", request: "POST …/{angstrom}/delete_user/", body: role("CUSTOMER.CALL_ORGANIZER", "carl", ""), status: 400, want: notAvailable},
	{name: "by a member without the permission", as: "nora", request: "POST …/{tartu}/delete_user/", body: role("HELPER", "jyrg", ""), status: 403, want: mayNot},
}

const wrongTime = `{"expiration_time":["Datetime has wrong format. Use RFC 3339, such as 2027-01-31T00:00:00Z."]}`

// roleBodyScenarios are what the bodies of the three role actions have in common.
var roleBodyScenarios = func() []scenario {
	wrong := []scenario{
		{name: "nothing", body: jsonBody(`{}`), want: `{"role":["This field is required."],"user":["This field is required."]}`},
		{name: "null", body: jsonBody(`{"role":null,"user":null,"expiration_time":null}`), want: `{"role":["This field may not be null."],"user":["This field may not be null."]}`},
		{name: "wrong types", body: jsonBody(`{"role":5,"user":5,"expiration_time":5}`),
			want: `{"expiration_time":["Datetime has wrong format. Use RFC 3339, such as 2027-01-31T00:00:00Z."],"role":["Not a valid string."],"user":["Must be a valid UUID."]}`},
		{name: "lists", body: jsonBody(`{"role":["HELPER"],"user":["{bob}"]}`), want: `{"role":["Not a valid string."],"user":["Must be a valid UUID."]}`},
		{name: "empty texts", body: jsonBody(`{"role":"","user":""}`), want: `{"role":["This field may not be blank."],"user":["Must be a valid UUID."]}`},
		{name: "empty texts of a form", body: formBody(`role=&user=&expiration_time=`),
			want: `{"role":["This field may not be blank."],"user":["Must be a valid UUID."]}`},
		{name: "half characters", body: jsonBody(`{"role":"\ud800","user":"\ud800","expiration_time":"\ud800"}`),
			want: `{"expiration_time":["Datetime has wrong format. Use RFC 3339, such as 2027-01-31T00:00:00Z."],"role":["Surrogate characters are not allowed: U+D800."],"user":["Must be a valid UUID."]}`},
		{name: "a role with a NUL", body: role(`HELPER\u0000`, "bob", ""), want: `{"role":["Null characters are not allowed."]}`},
		{name: "a user that is a name", body: jsonBody(`{"role":"HELPER","user":"bob"}`), want: `{"user":["Must be a valid UUID."]}`},
		{name: "a user that is a URN", body: jsonBody(`{"role":"HELPER","user":"urn:uuid:{bob}"}`), want: `{"user":["Must be a valid UUID."]}`},
		{name: "an unknown role", body: role("NOBODY", "bob", ""), want: `{"role":["Role is not found."]}`},
		{name: "a role in another case", body: role("helper", "bob", ""), want: `{"role":["Role is not found."]}`},
		{name: "a role by an unknown id", body: role("{bob}", "bob", ""), want: `{"role":["Role is not found."]}`},
		{name: "an unknown user", body: role("HELPER", "tartu", ""), want: `{"user":["User is not found."]}`},
		{name: "a time that is past", body: role("HELPER", "jyrg", `,"expiration_time":"2027-01-31T12:30:45.123455Z"`), want: past},
		{name: "a date of the past", body: role("HELPER", "jyrg", `,"expiration_time":"2027-01-31"`), want: past},
		{name: "a time of the past in lower case and without a zone", body: role("HELPER", "jyrg", `,"expiration_time":"2027-01-31t12:30:45.1"`), want: past},
		{name: "a time without seconds", body: role("HELPER", "jyrg", `,"expiration_time":"2027-04-01T00:00Z"`), want: wrongTime},
		{name: "a day that there is not", body: role("HELPER", "jyrg", `,"expiration_time":"2027-02-30T00:00:00Z"`), want: wrongTime},
		{name: "a leap second", body: role("HELPER", "jyrg", `,"expiration_time":"2027-06-30T23:59:60Z"`), want: wrongTime},
		{name: "a year past 9999", body: role("HELPER", "jyrg", `,"expiration_time":"9999-12-31T23:59:59-01:00"`), want: wrongTime},
		{name: "an empty time", body: role("HELPER", "jyrg", `,"expiration_time":""`), want: wrongTime},
		{name: "all that the data shows to be wrong at once", body: role("NOBODY", "tartu", `,"expiration_time":"2027-01-01T00:00:00Z"`),
			want: `{"expiration_time":["Expiration time should be greater than current time."],"role":["Role is not found."],"user":["User is not found."]}`},
		{name: "no body", body: jsonBody(""), want: noData},
		{name: "no body and no Content-Type", want: noData},
		{name: "nothing in multipart", body: parts(), want: `{"role":["This field is required."],"user":["This field is required."]}`},
		{name: "a file in multipart", body: parts(file("role", "a", "", "HELPER"), text("user", "{bob}")), want: `{"role":["Not a valid string."]}`},
	}
	unknown := role("HELPER", "bob", "")
	var all []scenario
	for _, action := range []string{"add_user", "update_user", "delete_user"} {
		for _, object := range []string{"…/{tartu}/", "/api/customers/{tartu.customer}/"} {
			for _, s := range wrong {
				s.request, s.status = "POST "+object+action+"/", 400
				s.name = "wrong body: " + s.name
				all = append(all, s)
			}
		}
		all = append(all,
			scenario{name: "an id that is not known", request: "POST …/{tartu.customer}/" + action + "/", body: unknown, status: 404, want: noOrganisation},
			scenario{name: "a customer that is not known", request: "POST /api/customers/{tartu}/" + action + "/", body: unknown, status: 404, want: noCustomer},
		)
	}
	return all
}()
