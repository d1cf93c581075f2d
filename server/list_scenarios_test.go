package server_test

import (
	"fmt"
	"strings"
)

// organisation is how the API shows each organisation of the world.
var organisation = map[string]string{
	"percent": `{"url":"{api}/{percent}/","uuid":"{percent}","created":"2027-01-31T12:30:45.123456Z","description":"Über \u003calles\u003e \u0026 more",` +
		`"customer":"https://calls.example.com/api/customers/{percent.customer}/","customer_name":"100%_\\ \"O'Brien\"","customer_uuid":"{percent.customer}",` +
		`"customer_image":null,"customer_abbreviation":"","customer_native_name":"","customer_country":"","image":null}`,
	"tartu": `{"url":"{api}/{tartu}/","uuid":"{tartu}","created":"2027-01-31T11:30:45.100000Z","description":"Calls of Tartu",` +
		`"customer":"https://calls.example.com/api/customers/{tartu.customer}/","customer_name":"University of Tartu","customer_uuid":"{tartu.customer}",` +
		`"customer_image":"{media}/{tartu.customer.image}/","customer_abbreviation":"UT","customer_native_name":"Tartu Ülikool","customer_country":"EE","image":"{media}/{tartu.image}/"}`,
	"zagreb": `{"url":"{api}/{zagreb}/","uuid":"{zagreb}","created":"2027-01-31T12:30:45Z","description":"",` +
		`"customer":"https://calls.example.com/api/customers/{zagreb.customer}/","customer_name":"zagreb","customer_uuid":"{zagreb.customer}",` +
		`"customer_image":null,"customer_abbreviation":"","customer_native_name":"","customer_country":"","image":null}`,
	"angstrom": `{"url":"{api}/{angstrom}/","uuid":"{angstrom}","created":"2027-01-31T12:30:45.123456Z","description":"",` +
		`"customer":"https://calls.example.com/api/customers/{angstrom.customer}/","customer_name":"Ångström Institute","customer_uuid":"{angstrom.customer}",` +
		`"customer_image":null,"customer_abbreviation":"","customer_native_name":"","customer_country":"","image":null}`,
}

// list is a page of organisations.
func list(names ...string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = organisation[name]
	}
	return "[" + strings.Join(shown, ",") + "]"
}

// page are the headers of a page: the number of all rows and, as relation and query in turns,
// the links to other pages.
func page(count string, links ...string) map[string]string {
	var parts []string
	for i := 0; i < len(links); i += 2 {
		parts = append(parts, "<{api}/"+links[i+1]+`>; rel="`+links[i]+`"`)
	}
	return map[string]string{"X-Result-Count": count, "Link": strings.Join(parts, ", "), "Content-Type": "application/json"}
}

var everything = list("percent", "angstrom", "tartu", "zagreb")

var listScenarios = []scenario{
	{name: "everybody who is signed in sees every organisation, by the customer's name in any case",
		as: "bob", request: "GET …/", status: 200, want: everything, headers: page("4", "first", "", "last", "")},
	{name: "parameters that are not known are ignored, and not in the links",
		request: "GET …/?zzz=1&field=uuid&page_size=5&customer_name=x", status: 200, want: everything, headers: page("4", "first", "?page_size=5", "last", "?page_size=5")},

	// Order.
	{name: "o=-customer_name is the reverse", request: "GET …/?o=-customer_name", status: 200, want: list("zagreb", "tartu", "angstrom", "percent")},
	{name: "of a name that repeats the first use counts, whatever its direction", request: "GET …/?o=" + strings.Repeat("-customer_name,customer_name,", 100) + "-customer_name", status: 200, want: list("zagreb", "tartu", "angstrom", "percent")},
	{name: "more than 100 orders", request: "GET …/?page_size=x&o=" + manyNames(101), status: 400, want: `{"o":["Too many values."],"page_size":["A valid integer is required."]}`},
	{name: "100 orders", request: "GET …/?o=" + manyNames(100), status: 400, want: `{"o":["Select a valid choice. n0 is not one of the available choices."]}`},
	{name: "several orders with a comma, which the links escape", request: "GET …/?o=customer_name,-customer_name", status: 200, want: everything,
		headers: page("4", "first", "?o=customer_name%2C-customer_name", "last", "?o=customer_name%2C-customer_name")},
	{name: "an unknown order", request: "GET …/?o=bogus", status: 400, want: `{"o":["Select a valid choice. bogus is not one of the available choices."]}`},
	{name: "an empty order", request: "GET …/?o=", status: 400, want: `{"o":["Select a valid choice.  is not one of the available choices."]}`},

	// Pages.
	{name: "the first page of several", request: "GET …/?page_size=3", status: 200, want: list("percent", "angstrom", "tartu"),
		headers: page("4", "first", "?page_size=3", "next", "?page=2&page_size=3", "last", "?page=2&page_size=3")},
	{name: "the last page of several", request: "GET …/?page=2&page_size=3", status: 200, want: list("zagreb"),
		headers: page("4", "first", "?page_size=3", "prev", "?page_size=3", "last", "?page=2&page_size=3")},
	{name: "a page in the middle", request: "GET …/?page_size=1&page=3", status: 200, want: list("tartu"),
		headers: page("4", "first", "?page_size=1", "prev", "?page=2&page_size=1", "next", "?page=4&page_size=1", "last", "?page=4&page_size=1")},
	{name: "page=1", request: "GET …/?page=1", status: 200, want: everything, headers: page("4", "first", "", "last", "")},
	{name: "page=0", request: "GET …/?page=0", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "page=x", request: "GET …/?page=x", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "largest page of a filtered list", request: "GET …/?customer_keyword=a&page=9223372036854775807&page_size=300", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "an empty page", request: "GET …/?page=", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "a page past the end", request: "GET …/?page=2", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "a page that no integer holds", request: "GET …/?page=99999999999999999999", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "the largest page", request: "GET …/?page=9223372036854775807&page_size=300", status: 404, want: `{"detail":"Invalid page."}`},
	{name: "of a repeated page the last counts", request: "GET …/?page=x&page=1", status: 200, want: everything},
	{name: "page_size=10000 is 300", request: "GET …/?page_size=10000", status: 200, want: everything,
		headers: page("4", "first", "?page_size=10000", "last", "?page_size=10000")},
	{name: "page_size=2147483648", request: "GET …/?page_size=2147483648", status: 400, want: `{"page_size":["Ensure this value is less than or equal to 2147483647."]}`},
	{name: "page_size that no integer holds", request: "GET …/?page_size=99999999999999999999", status: 400, want: `{"page_size":["Ensure this value is less than or equal to 2147483647."]}`},
	{name: "page_size below what any integer holds", request: "GET …/?page_size=-99999999999999999999", status: 400, want: `{"page_size":["Ensure this value is greater than or equal to 1."]}`},
	{name: "page_size=0", request: "GET …/?page_size=0", status: 400, want: `{"page_size":["Ensure this value is greater than or equal to 1."]}`},
	{name: "page_size=x", request: "GET …/?page_size=x", status: 400, want: `{"page_size":["A valid integer is required."]}`},
	{name: "an empty page_size", request: "GET …/?page_size=", status: 400, want: `{"page_size":["A valid integer is required."]}`},
	{name: "all that is wrong with a query at once", request: "GET …/?page_size=x&o=y&customer=z&customer_uuid=w&page=0", status: 400,
		want: `{"customer":["Invalid hyperlink - No URL match."],"customer_uuid":["Enter a valid UUID."],"o":["Select a valid choice. y is not one of the available choices."],"page_size":["A valid integer is required."]}`},
}

// longestKeyword is how long a keyword may be for its two links to fit into a header.
const longestKeyword = (4096 - len(`<>; rel="first", <>; rel="last"`) - 2*len(publicURL+base+"?customer_keyword=")) / 2

// manyNames are as many different names.
func manyNames(many int) string {
	names := make([]string, many)
	for i := range names {
		names[i] = fmt.Sprintf("n%d", i)
	}
	return strings.Join(names, ",")
}

const noURL = `{"customer":["Invalid hyperlink - No URL match."]}`

var listFilterScenarios = []scenario{
	// customer: a URL at any host, or its path.
	{name: "customer", request: "GET …/?customer=https://calls.example.com/api/customers/{tartu.customer}/", status: 200, want: list("tartu"),
		headers: page("1", "first", "?customer=https%3A%2F%2Fcalls.example.com%2Fapi%2Fcustomers%2F{tartu.customer}%2F", "last", "?customer=https%3A%2F%2Fcalls.example.com%2Fapi%2Fcustomers%2F{tartu.customer}%2F")},
	{name: "customer at another host, as the reference page spells it", request: "GET …/?customer=http://localhost:1/api/customer/{tartu.customer:hex}", status: 200, want: list("tartu")},
	{name: "customer with a scheme in capitals", request: "GET …/?customer=HTTPS://x/api/customers/{tartu.customer}/", status: 200, want: list("tartu")},
	{name: "customer by its path", request: "GET …/?customer=/api/customers/{tartu.customer:UPPER}/", status: 200, want: list("tartu")},
	{name: "customer that is not known", request: "GET …/?customer=/api/customers/{sam}/", status: 200, want: "[]", headers: page("0", "first", "?customer=%2Fapi%2Fcustomers%2F{sam}%2F", "last", "?customer=%2Fapi%2Fcustomers%2F{sam}%2F")},
	{name: "customer without an organisation", request: "GET …/?customer=/api/customers/{free.customer}/", status: 200, want: "[]"},
	{name: "customer of another kind", request: "GET …/?customer=/api/users/{tartu.customer}/", status: 400, want: noURL},
	{name: "an empty customer", request: "GET …/?customer=", status: 400, want: noURL},

	{name: "customer_uuid", request: "GET …/?customer_uuid={tartu.customer}", status: 200, want: list("tartu")},
	{name: "customer_uuid without dashes", request: "GET …/?customer_uuid={tartu.customer:hex}", status: 200, want: list("tartu")},
	{name: "customer_uuid that is not known", request: "GET …/?customer_uuid={tartu}", status: 200, want: "[]"},
	{name: "customer_uuid that is none", request: "GET …/?customer_uuid=x", status: 400, want: `{"customer_uuid":["Enter a valid UUID."]}`},
	{name: "an empty customer_uuid", request: "GET …/?customer_uuid=", status: 400, want: `{"customer_uuid":["Enter a valid UUID."]}`},
	{name: "of a repeated customer_uuid the last counts", request: "GET …/?customer_uuid=x&customer_uuid={tartu.customer}", status: 200, want: list("tartu"),
		headers: page("1", "first", "?customer_uuid=x&customer_uuid={tartu.customer}", "last", "?customer_uuid=x&customer_uuid={tartu.customer}")},
	{name: "filters narrow together", request: "GET …/?customer_uuid={tartu.customer}&customer=/api/customers/{zagreb.customer}/", status: 200, want: "[]"},

	// customer_keyword: any text.
	{name: "customer_keyword in the name", request: "GET …/?customer_keyword=OF+tar", status: 200, want: list("tartu")},
	{name: "customer_keyword in the abbreviation", request: "GET …/?customer_keyword=ut", status: 200, want: list("angstrom", "tartu")},
	{name: "customer_keyword in the native name, whose letters are not ASCII", request: "GET …/?customer_keyword=%C3%BCLIKOOL", status: 200, want: list("tartu")},
	{name: "customer_keyword with blanks around it", request: "GET …/?customer_keyword=++zag+", status: 200, want: list("zagreb")},
	{name: "customer_keyword with a bare %", request: "GET …/?customer_keyword=100%", status: 200, want: list("percent"), headers: page("1", "first", "?customer_keyword=100%25", "last", "?customer_keyword=100%25")},
	{name: "customer_keyword in double quotes", request: "GET …/?customer_keyword=%22O'BRIEN%22", status: 200, want: list("percent")},
	{name: "customer_keyword of 10,000 characters", request: "GET …/?customer_keyword=" + strings.Repeat("%25_", 5000), status: 200, want: "[]", headers: map[string]string{"X-Result-Count": "0", "Link": ""}},
	{name: "links that just fit", request: "GET …/?customer_keyword=" + strings.Repeat("x", longestKeyword), status: 200, want: "[]",
		headers: page("0", "first", "?customer_keyword="+strings.Repeat("x", longestKeyword), "last", "?customer_keyword="+strings.Repeat("x", longestKeyword))},
	{name: "links that would be longer", request: "GET …/?customer_keyword=" + strings.Repeat("x", longestKeyword+1), status: 200, want: "[]", headers: map[string]string{"X-Result-Count": "0", "Link": ""}},
	{name: "an empty customer_keyword", request: "GET …/?customer_keyword=", status: 200, want: everything, headers: page("4", "first", "?customer_keyword=", "last", "?customer_keyword=")},
	{name: "customer_keyword without a value", request: "GET …/?customer_keyword", status: 200, want: everything},
	{name: "customer_keyword with a NUL", request: "GET …/?customer_keyword=a%00b", status: 400, want: `{"customer_keyword":["Null characters are not allowed."]}`},
	{name: "customer_keyword that is not UTF-8", request: "GET …/?customer_keyword=%FF", status: 400, want: notUTF8},
	{name: "customer_keyword of raw bytes that are not UTF-8", request: "GET …/?customer_keyword=\xff", status: 400, want: notUTF8},
	{name: "more parameters than anybody needs", request: "GET …/?" + strings.Repeat("a&", 10_001), status: 400, want: `{"detail":"Malformed request: number of URL query parameters exceeded limit"}`},
	{name: "more orders than anybody needs", request: "GET …/?customer_uuid={tartu}&o=" + manyNames(10_001), status: 400, want: `{"o":["Too many values."]}`},
	{name: "an unknown parameter whose name is not UTF-8", request: "GET …/?%FF=1", status: 400, want: notUTF8},
}

const notUTF8 = `{"detail":"Malformed request: not valid UTF-8."}`
