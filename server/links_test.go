package server_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// Every URL in an answer answers 200 to who got it.
func TestLinks(t *testing.T) {
	quoted := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	stage := newStage(t, storetest.SQLite)
	for _, user := range []string{"sam", "olev", "carl", "bob"} { // staff, an owner, an organizer, nobody
		t.Run(user, func(t *testing.T) {
			seen := map[string]bool{}
			for next := []string{base, "/api/users/", "/api/customers/", "/api/roles/", stage.names.Replace(base + "{tartu}/list_users/")}; len(next) > 0; next = next[1:] {
				target := next[0]
				if seen[target] {
					continue
				}
				seen[target] = true
				got := stage.send(t, request{Method: "GET", Target: target, Token: "token-of-" + user})
				if forbidden := got.Status == http.StatusForbidden && strings.HasSuffix(target, "/list_users/"); got.Status != http.StatusOK && !forbidden {
					t.Errorf("%s: %d %s", target, got.Status, got.Body)
				}
				if got.Header.Get("Content-Type") != "application/json" {
					continue
				}
				for _, text := range quoted.FindAllString(got.Body, -1) {
					var value string
					if err := json.Unmarshal([]byte(text), &value); err != nil {
						t.Fatal(err)
					}
					if link, isLink := strings.CutPrefix(value, publicURL); isLink {
						next = append(next, link)
					}
				}
			}
			if len(seen) < 8 {
				t.Errorf("only %d links were followed", len(seen))
			}
			stage.log.take()
		})
	}
}
