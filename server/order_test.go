package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// Names are ordered as people expect, by the root collation of Unicode: first by the letters, then by their
// accents, then by their case.
func TestNamesAreOrderedByTheRootCollation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		a := start(t, engine)
		names := []string{"100% sure", "Aarhus", "Ångström", "Arctic", "Österbotten", "ostrava", "Ostrava", "Żagań", "zagreb", "Zagreb", "Zürich", "Ελλάδα", "Эстония"}
		lists := make([]string, 4)
		for i, name := range names {
			n := (i*5 + 3) % len(names) // in another order
			lists[0] += fmt.Sprintf("  - {uuid: {c%d}, name: %q}\n", n, name)
			lists[1] += fmt.Sprintf("  - {uuid: {o%d}, customer: {c%[1]d}}\n", n)
			lists[2] += fmt.Sprintf("  - {uuid: {u%d}, username: user%02[1]d, full_name: %q, native_name: %[2]q, email: %[2]q}\n", n, name)
			lists[3] += fmt.Sprintf("  - {uuid: {g%d}, user: {u%[1]d}, role: CUSTOMER.CALL_ORGANIZER, scope: {call_managing_organisation: {o0}}}\n", n)
		}
		a.world.Import(t, "customers:\n"+lists[0]+"users:\n  - {uuid: {sam}, username: sam, is_staff: true, token: token-of-sam}\n"+lists[2]+
			"call_managing_organisations:\n"+lists[1]+"user_roles:\n"+lists[3])
		check := func(target, key string) {
			t.Helper()
			got := a.send(t, request{Method: "GET", Target: a.world.Replacer("…/", base).Replace(target), Token: "token-of-sam"})
			for _, name := range names {
				_, after, found := strings.Cut(got.Body, fmt.Sprintf("%q:%q", key, name))
				if !found {
					t.Errorf("%s: %s is not where it should be:\n%s", target, name, got.Body)
					return
				}
				got.Body = after
			}
		}
		check("…/?page_size=100", "customer_name")
		check("…/{o0}/list_users/?page_size=100&o=full_name", "user_full_name")
		check("…/{o0}/list_users/?page_size=100&o=native_name", "user_full_name")
		check("…/{o0}/list_users/?page_size=100&o=email", "user_full_name")
	})
}
