package server_test

import (
	"fmt"
	"strings"
)

// customerMember is how the API shows each role that is held on tartu's customer to who sees e-mail addresses.
var customerMember = map[string]string{
	"olev": shownOnCustomer("olev", "CUSTOMER.OWNER", "Olev Owner"),
	"mari": shownOnCustomer("mari", "CUSTOMER.MANAGER", "Mari Manager"),
	"reg":  fmt.Sprintf(regOnTartu, `"reg@example.com"`),
	// The same to others.
	"reg without address": fmt.Sprintf(regOnTartu, "null"),
}

// regOnTartu is reg's role, without the e-mail address.
const regOnTartu = `{"uuid":"{reg:REGISTRAR:tartu.customer}","created":"2027-01-31T06:30:45.123456Z","expiration_time":"2027-03-01T00:00:00Z",` +
	`"role_name":"REGISTRAR","role_uuid":"{REGISTRAR}","user_email":%s,"user_full_name":"Reg Registrar","user_username":"reg","user_uuid":"{reg}",` +
	`"user_image":"{media}/{reg.image}/","created_by_full_name":"Olev Owner","created_by_uuid":"{olev}"}`

func shownOnCustomer(user, role, name string) string {
	return fmt.Sprintf(`{"uuid":"{%[1]s:%[2]s:tartu.customer}","created":"2027-01-31T06:30:45.123456Z","expiration_time":null,"role_name":"%[2]s","role_uuid":"{%[2]s}",`+
		`"user_email":null,"user_full_name":"%[3]s","user_username":"%[1]s","user_uuid":"{%[1]s}","user_image":null}`, user, role, name)
}

func customerMembers(names ...string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = customerMember[name]
	}
	return "[" + strings.Join(shown, ",") + "]"
}

// findOnCustomer is a query of the roles on tartu's customer, and which it finds.
func findOnCustomer(as, query string, found ...string) scenario {
	return scenario{name: as + " ?" + query, as: as, request: "GET /api/customers/{tartu.customer}/list_users/?" + query, status: 200, want: customerMembers(found...)}
}

var customerTeamScenarios = []scenario{
	{name: "roles on a customer, oldest first", request: "GET /api/customers/{tartu.customer}/list_users/", status: 200, want: customerMembers("olev", "mari", "reg"),
		headers: map[string]string{"X-Result-Count": "3", "Link": `<https://calls.example.com/api/customers/{tartu.customer}/list_users/>; rel="first", ` +
			`<https://calls.example.com/api/customers/{tartu.customer}/list_users/>; rel="last"`}},
	findOnCustomer("sue", "o=-username&page_size=2", "reg", "olev"),
	findOnCustomer("sam", "role=REGISTRAR&user={reg}&user_slug=REG&full_name=registrar&username=reg", "reg"),
	findOnCustomer("sam", "role=CUSTOMER.CALL_ORGANIZER"), // carl's, on the organisation
	findOnCustomer("sam", "user={bob}"),

	// E-mail addresses are for those who may grant roles, and one's own.
	findOnCustomer("olev", "o=-email", "reg", "olev", "mari"),
	findOnCustomer("olev", "search_string=REG%40example", "reg"),
	findOnCustomer("reg", "username=reg", "reg"),
	findOnCustomer("mari", "o=-email", "olev", "mari", "reg without address"),
	findOnCustomer("mari", "search_string=reg%40example"),
	findOnCustomer("mari", "search_string=reg", "reg without address"),

	{name: "roles on a customer: a page past the end", request: "GET /api/customers/{tartu.customer}/list_users/?page=2", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "roles on a customer: wrong parameters", as: "olev", request: "GET /api/customers/{tartu.customer}/list_users/?field=bogus&o=b&user=c", status: 400,
		want: `{"field":["Select a valid choice. bogus is not one of the available choices."],"o":["Select a valid choice. b is not one of the available choices."],"user":["Enter a valid UUID."]}`},
	{name: "roles on a customer, by a user without one", as: "bob", request: "GET /api/customers/{tartu.customer}/list_users/", status: 403, want: mayNot},
	{name: "roles on a customer, by a member of its organisation", as: "carl", request: "GET /api/customers/{tartu.customer}/list_users/", status: 403, want: mayNot},
	{name: "roles on a customer that is not seen", as: "bob", request: "GET /api/customers/{free.customer}/list_users/", status: 404, want: noCustomer},
	{name: "roles on a customer that is not known", request: "GET /api/customers/{tartu}/list_users/", status: 404, want: noCustomer},
}

// userOfTartu is a user of tartu's customer as the list of its users shows them.
func userOfTartu(user, name, email, image, role, expires string) string {
	return fmt.Sprintf(`{"url":"https://calls.example.com/api/users/{%[1]s}/","uuid":"{%[1]s}","username":"%[1]s","full_name":"%[2]s",%[3]s"image":%[4]s,"role_name":"%[5]s","expiration_time":%[6]s}`,
		user, name, email, image, role, expires)
}

// regAsUser is reg in that list; email is the field or nothing.
func regAsUser(email string) string {
	return userOfTartu("reg", "Reg Registrar", email, `"{media}/{reg.image}/"`, "REGISTRAR", `"2027-03-01T00:00:00Z"`)
}

const usersOfTartu = "GET /api/customers/{tartu.customer}/users/"

// findUsersOfTartu is a query of the users of tartu's customer and whom it finds.
func findUsersOfTartu(as, query string, found ...string) scenario {
	return scenario{name: as + " ?" + query, as: as, request: usersOfTartu + "?field=username&" + query, status: 200, want: usersNamed(found...)}
}

var customerUsersScenarios = []scenario{
	{name: "the users of a customer", request: usersOfTartu, status: 200,
		want: "[" + userOfTartu("olev", "Olev Owner", "", "null", "CUSTOMER.OWNER", "null") + "," + userOfTartu("mari", "Mari Manager", "", "null", "CUSTOMER.MANAGER", "null") + "," +
			regAsUser(`"email":"reg@example.com",`) + "]",
		headers: map[string]string{"X-Result-Count": "3"}},
	{name: "the users of a customer, by who sees no addresses", as: "mari", request: usersOfTartu + "?username=reg", status: 200, want: "[" + regAsUser("") + "]"},
	{name: "the users of a customer, by who sees their own address", as: "reg", request: usersOfTartu + "?field=email,username", status: 200,
		want: `[{"username":"olev"},{"username":"mari"},{"username":"reg","email":"reg@example.com"}]`},
	findUsersOfTartu("sue", "o=concatenated_name", "mari", "olev", "reg"),
	findUsersOfTartu("sue", "o=-concatenated_name", "reg", "olev", "mari"),
	findUsersOfTartu("sue", "o=concatenated_name&page_size=1&page=2", "olev"),
	findUsersOfTartu("sue", "full_name=OW", "olev"),
	findUsersOfTartu("sue", "username=mari", "mari"),
	findUsersOfTartu("sue", "username=mar"),
	findUsersOfTartu("sue", "user_keyword=MAN", "mari"),
	findUsersOfTartu("olev", "user_keyword=REG%40", "reg"),
	findUsersOfTartu("mari", "user_keyword=reg%40"),
	findUsersOfTartu("mari", "user_keyword=reg", "reg"),
	findUsersOfTartu("olev", "email=EXAMPLE", "reg"),
	findUsersOfTartu("mari", "email=example"),
	findUsersOfTartu("reg", "email=example", "reg"),
	findUsersOfTartu("sam", "is_active=true&email=&user_keyword=", "olev", "mari", "reg"),
	findUsersOfTartu("sam", "is_active=false"),
	{name: "the users of a customer: a page past the end", request: usersOfTartu + "?page=2", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "the users of a customer: wrong parameters", request: usersOfTartu + "?field=bogus&o=b&is_active=perhaps&email=%00", status: 400,
		want: `{"email":["Null characters are not allowed."],"field":["Select a valid choice. bogus is not one of the available choices."],` +
			`"is_active":["Select a valid choice. perhaps is not one of the available choices."],"o":["Select a valid choice. b is not one of the available choices."]}`},
	{name: "the users of a customer, by a user without a role", as: "bob", request: usersOfTartu, status: 403, want: mayNot},
	{name: "the users of a customer, by a member of its organisation", as: "carl", request: usersOfTartu, status: 403, want: mayNot},
	{name: "the users of a customer that is not seen", as: "olev", request: "GET /api/customers/{free.customer}/users/", status: 404, want: noCustomer},
	{name: "the users of a customer that is not known", request: "GET /api/customers/{tartu}/users/", status: 404, want: noCustomer},
}

// holdsOnTartu is a step: which roles a user holds on tartu's customer until when.
func holdsOnTartu(user, found string) step {
	return step{"GET /api/customers/{tartu.customer}/list_users/?user={" + user + "}&field=role_name,expiration_time,created_by_full_name&o=role", 200, found}
}

const (
	addToTartu  = "POST /api/customers/{tartu.customer}/add_user/"
	updateTartu = "POST /api/customers/{tartu.customer}/update_user/"
	deleteTartu = "POST /api/customers/{tartu.customer}/delete_user/"
)

var customerRoleScenarios = []scenario{
	{name: "by the owner, for good", as: "olev", request: addToTartu, body: role("CUSTOMER.OWNER", "bob", ""), status: 201, want: forever,
		headers: map[string]string{"Content-Type": "application/json"}, events: grantedBy("olev", "further notice"),
		then: []step{holdsOnTartu("bob", `[{"expiration_time":null,"role_name":"CUSTOMER.OWNER","created_by_full_name":"Olev Owner"}]`)}},
	{name: "by staff, by the role's id, until a date", request: "POST /api/customers/{free.customer:hex}/add_user/", body: formBody("role={CUSTOMER.MANAGER:hex}&user={bob}&expiration_time=2027-04-01"), status: 201, want: april,
		events: grantedBy("sam", "2027-04-01T00:00:00Z"),
		then:   []step{{"GET /api/customers/{free.customer}/users/?field=username,role_name,expiration_time", 200, `[{"username":"reg","role_name":"REGISTRAR","expiration_time":null},{"username":"bob","role_name":"CUSTOMER.MANAGER","expiration_time":"2027-04-01T00:00:00Z"}]`}}},
	{name: "another role of who holds one: the list of users has its holder once", as: "olev", request: addToTartu, body: role("CUSTOMER.OWNER", "mari", ""), status: 201, want: forever,
		events: grantedBy("olev", "further notice"),
		then: []step{
			holdsOnTartu("mari", `[{"expiration_time":null,"role_name":"CUSTOMER.MANAGER"},{"expiration_time":null,"role_name":"CUSTOMER.OWNER","created_by_full_name":"Olev Owner"}]`),
			{usersOfTartu + "?field=username,role_name", 200, `[{"username":"olev","role_name":"CUSTOMER.OWNER"},{"username":"mari","role_name":"CUSTOMER.MANAGER"},{"username":"reg","role_name":"REGISTRAR"}]`},
		}},
	{name: "an owner gives a role to itself", as: "olev", request: addToTartu, body: role("REGISTRAR", "olev", ""), status: 201, want: forever, events: grantedBy("olev", "further notice")},
	{name: "staff gives a role to who is not active", request: addToTartu, body: role("CUSTOMER.MANAGER", "ines", ""), status: 201, want: forever, events: grantedBy("sam", "further notice"),
		then: []step{
			holdsOnTartu("ines", "[]"),
			{usersOfTartu + "?is_active=false&field=username,role_name", 200, `[{"username":"ines","role_name":"CUSTOMER.MANAGER"}]`},
		}},
	{name: "who is not active, by who is not staff", as: "olev", request: addToTartu, body: role("CUSTOMER.MANAGER", "ines", ""), status: 400, want: deactivated},
	{name: "who holds the role already", as: "olev", request: addToTartu, body: role("CUSTOMER.MANAGER", "mari", untilApril), status: 400, want: alreadyHeld},
	{name: "a role of another scope", as: "olev", request: addToTartu, body: role("CUSTOMER.CALL_ORGANIZER", "bob", ""), status: 400, want: notValid},
	{name: "a role that is not active", as: "olev", request: addToTartu, body: role("CUSTOMER.SUPPORT", "bob", ""), status: 400, want: notActive},
	{name: "an unknown user", as: "olev", request: addToTartu, body: role("CUSTOMER.MANAGER", "tartu", ""), status: 400, want: `{"user":["User is not found."]}`},
	{name: "the customer is blocked", request: "POST /api/customers/{blocked.customer}/add_user/", body: role("CUSTOMER.MANAGER", "bob", ""), status: 400, want: notAvailable},
	{name: "the customer is archived", request: "POST /api/customers/{archived.customer}/add_user/", body: role("CUSTOMER.MANAGER", "bob", ""), status: 400, want: notAvailable},
	{name: "by a member without the permission", as: "mari", request: addToTartu, body: role("CUSTOMER.MANAGER", "bob", ""), status: 403, want: mayNot},
	{name: "by a member of the organisation", as: "carl", request: addToTartu, body: role("CUSTOMER.MANAGER", "bob", ""), status: 403, want: mayNot},
	{name: "by a user without a role", as: "bob", request: addToTartu, body: role("CUSTOMER.OWNER", "bob", ""), status: 403, want: mayNot},
	{name: "a customer that is not seen", as: "bob", request: "POST /api/customers/{free.customer}/add_user/", body: role("CUSTOMER.OWNER", "bob", ""), status: 404, want: noCustomer},

	{name: "until a time", as: "olev", request: updateTartu, body: role("CUSTOMER.MANAGER", "mari", untilApril), status: 200, want: april,
		events: []string{"user_role.update {mari:CUSTOMER.MANAGER:tartu.customer} by olev: until 2027-04-01T00:00:00Z, before that further notice"},
		then:   []step{holdsOnTartu("mari", `[{"expiration_time":"2027-04-01T00:00:00Z","role_name":"CUSTOMER.MANAGER"}]`)}},
	{name: "a role that is not held", request: updateTartu, body: role("CUSTOMER.MANAGER", "olev", ""), status: 400, want: notHeld},
	{name: "a role that is held on the organisation", request: updateTartu, body: role("CUSTOMER.CALL_ORGANIZER", "carl", ""), status: 400, want: notHeld},
	{name: "the customer is blocked", request: "POST /api/customers/{blocked.customer}/update_user/", body: role("REGISTRAR", "reg", ""), status: 400, want: notAvailable},
	{name: "by a member without the permission", as: "mari", request: updateTartu, body: role("CUSTOMER.MANAGER", "mari", ""), status: 403, want: mayNot},
	{name: "a customer that is not seen", as: "olev", request: "POST /api/customers/{free.customer}/update_user/", body: role("REGISTRAR", "reg", ""), status: 404, want: noCustomer},

	{name: "a role that is held", as: "olev", request: deleteTartu, body: role("CUSTOMER.MANAGER", "mari", ""), status: 200,
		events: []string{"user_role.revoke {mari:CUSTOMER.MANAGER:tartu.customer} by olev"}, then: []step{holdsOnTartu("mari", "[]")}},
	{name: "an owner's own", as: "olev", request: deleteTartu, body: role("CUSTOMER.OWNER", "olev", ""), status: 200,
		events: []string{"user_role.revoke {olev:CUSTOMER.OWNER:tartu.customer} by olev"}, then: []step{holdsOnTartu("olev", "[]")}},
	{name: "a role that is not held", request: deleteTartu, body: role("CUSTOMER.MANAGER", "bob", ""), status: 200},
	{name: "a role that is held on the organisation", request: deleteTartu, body: role("CUSTOMER.CALL_ORGANIZER", "carl", ""), status: 200},
	{name: "the customer is archived", request: "POST /api/customers/{archived.customer}/delete_user/", body: role("REGISTRAR", "reg", ""), status: 400, want: notAvailable},
	{name: "by a member without the permission", as: "reg", request: deleteTartu, body: role("CUSTOMER.MANAGER", "mari", ""), status: 403, want: mayNot},
	{name: "a customer that is not seen", as: "carl", request: "POST /api/customers/{free.customer}/delete_user/", body: role("REGISTRAR", "reg", ""), status: 404, want: noCustomer},
}
