package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// Members are ordered as people expect, by the root collation of Unicode: first by the letters, then by their
// accents, then by their case. The store's tests hold the same of organisations.
func TestMembersAreOrderedByTheRootCollation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		stage := newStage(t, engine)
		names := []string{"100% sure", "Aarhus", "Ångström", "Arctic", "Österbotten", "ostrava", "Ostrava", "Żagań", "zagreb", "Zagreb", "Zürich", "Ελλάδα", "Эстония"}
		users, grants := "", ""
		for i, name := range names {
			n := (i*5 + 3) % len(names) // in another order
			users += fmt.Sprintf("  - {uuid: {u%d}, username: user%02[1]d, full_name: %q, native_name: %[2]q, email: u%02[3]d@example.com}\n", n, name, i)
			grants += fmt.Sprintf("  - {uuid: {g%d}, user: {u%[1]d}, role: HELPER, scope: {call_managing_organisation: {zagreb}}}\n", n)
		}
		stage.world.Import(t, "users:\n"+users+"user_roles:\n"+grants)
		for _, order := range []string{"full_name", "native_name", "email"} {
			got := stage.send(t, stage.request(scenario{request: "GET …/{zagreb}/list_users/?page_size=100&field=user_full_name&o=" + order}))
			want := `[{"user_full_name":"` + strings.Join(names, `"},{"user_full_name":"`) + `"}]`
			if shown := strings.TrimSpace(got.Body); shown != want {
				t.Errorf("by %s:\ngot  %s\nwant %s", order, shown, want)
			}
		}
	})
}
