package handlers

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/gen"
)

const someID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"

// hyperlinks are texts, and whether openapi.yaml takes each for a customer's hyperlink in a
// query and in a body.
var hyperlinks = []struct {
	link            string
	inQuery, inBody bool
}{
	{"https://x/api/customers/" + someID + "/", true, true},
	{"http://x:1/api/customer/" + someID + "/", true, true},
	{"https://x/api/customers/" + someID, true, true},
	{"https://x/api/customers/" + strings.ReplaceAll(someID, "-", "") + "/", true, true},
	{"https://x/api/customers/" + strings.ToUpper(someID) + "/", true, true},
	{"https://ü@[::1]:1/api/customers/" + someID + "/", true, true},
	{"/api/customers/" + someID + "/", true, false},
	{"/api/customer/" + someID, true, false},
	{"", false, false},
	{"/", false, false},
	{"abc", false, false},
	{someID, false, false},
	{"HTTPS://x/api/customers/" + someID + "/", true, true},
	{"ftp://x/api/customers/" + someID + "/", false, false},
	{"//x/api/customers/" + someID + "/", false, false},
	{"https:///api/customers/" + someID + "/", false, false},
	{"https://x/y/api/customers/" + someID + "/", false, false},
	{"https://x/api/users/" + someID + "/", false, false},
	{"https://x/api/customers/" + someID + "//", false, false},
	{"https://x/api/customers/{" + someID + "}/", false, false},
	{"https://x/api/customers/urn:uuid:" + someID + "/", false, false},
	{"https://x/api/customers/a1b2c3d4e5f6-7890-abcd-ef1234567890/", false, false},
	{"https://x/api/customers/1/", false, false},
	{"https://x/api/customers/" + someID + "/?a=b", false, false},
	{"https://x/api/customers/" + someID + "/\n", false, false},
	{" https://x/api/customers/" + someID + "/", false, false},
	{"https://x y/api/customers/" + someID + "/", false, false},
	{"https://x\x00/api/customers/" + someID + "/", false, false},
}

// Whatever openapi.yaml's patterns take for a hyperlink holds a UUID, and uuidOfURL finds it.
func FuzzUUIDOfURL(f *testing.F) {
	spec, err := gen.GetSpec()
	if err != nil {
		f.Fatal(err)
	}
	patterns := map[string]*regexp.Regexp{
		"customer of a query": regexp.MustCompile(spec.Components.Parameters["CustomerURL"].Value.Schema.Value.Pattern),
		"user_url of a query": regexp.MustCompile(spec.Components.Parameters["UserURL"].Value.Schema.Value.Pattern),
	}
	for name, schema := range spec.Components.Schemas {
		if customer := schema.Value.Properties["customer"]; customer != nil && customer.Value.Pattern != "" {
			patterns[name] = regexp.MustCompile(customer.Value.Pattern)
		}
	}
	if len(patterns) != 5 {
		f.Fatalf("%d patterns of hyperlinks", len(patterns))
	}
	for _, hyperlink := range hyperlinks {
		f.Add(hyperlink.link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		found := uuidOfURL(link) // never panics, whatever it gets
		for name, pattern := range patterns {
			if !pattern.MatchString(link) {
				continue
			}
			digits := strings.ReplaceAll(strings.ToLower(link), "-", "")
			if !strings.Contains(digits, strings.ReplaceAll(found.String(), "-", "")) {
				t.Fatalf("%s: %q holds no %s", name, link, found)
			}
			if strings.ContainsAny(link, "\x00\n\t ?#") {
				t.Fatalf("%s: %q is taken for a hyperlink", name, link)
			}
		}
	})
}

// The patterns take what the API's clients send and refuse what is none.
func TestHyperlinks(t *testing.T) {
	spec, err := gen.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	query := regexp.MustCompile(spec.Components.Parameters["CustomerURL"].Value.Schema.Value.Pattern)
	body := regexp.MustCompile(spec.Components.Schemas["CallManagingOrganisationRequest"].Value.Properties["customer"].Value.Pattern)
	for _, test := range hyperlinks {
		if query.MatchString(test.link) != test.inQuery || body.MatchString(test.link) != test.inBody {
			t.Errorf("%q: a query takes it is %v, a body %v", test.link, query.MatchString(test.link), body.MatchString(test.link))
		}
		if test.inQuery && uuidOfURL(test.link) != uuid.MustParse(someID) {
			t.Errorf("%q: %s", test.link, uuidOfURL(test.link))
		}
	}
}
