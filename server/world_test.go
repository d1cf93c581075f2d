package server_test

import (
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

// now is the time of every test: 2027-01-31T12:30:45.123456Z.
var now = storetest.NewClock().Now()

// names are the objects of the tests' world.
var names = world.Names()

// fill imports the tests' world and returns what stands for the names in braces. The ids of images are not
// ours to choose.
func fill(t testing.TB, a *app) *strings.Replacer {
	t.Helper()
	a.world.Load(t)
	more := []string{"{api}", publicURL + strings.TrimSuffix(base, "/"), "{media}", publicURL + "/api/media", "…/", base}
	for name, table := range map[string]string{
		"{tartu.image}": "call_managing_organisations", "{tartu.customer.image}": "customers", "{carl.image}": "(SELECT * FROM users WHERE username = 'carl') AS u",
		"{sam.image}": "(SELECT * FROM users WHERE username = 'sam') AS u", "{reg.image}": "(SELECT * FROM users WHERE username = 'reg') AS u",
	} {
		var id string
		if err := a.sql.QueryRow("SELECT image_uuid FROM " + table + " WHERE image_uuid IS NOT NULL").Scan(&id); err != nil {
			t.Fatal(err)
		}
		more = append(more, name, id)
	}
	return a.world.Replacer(more...)
}
