package server_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store/storetest"
)

// lists are the targets from which links are followed.
var lists = []string{base, "/api/users/", "/api/customers/", "/api/roles/"}

// Every URL in an answer answers 200 to who got it.
func TestLinks(t *testing.T) {
	stage := newStage(t, storetest.SQLite)
	for _, user := range []string{"sam", "olev", "carl", "bob"} { // staff, an owner, an organizer, nobody
		t.Run(user, func(t *testing.T) {
			stage.followLinks(t, "token-of-"+user, append(lists,
				stage.names.Replace(base+"{tartu}/list_users/"), stage.names.Replace("/api/customers/{tartu.customer}/users/"),
				stage.names.Replace("/api/customers/{tartu.customer}/list_users/")))
		})
	}
}

// The links of the demo world too.
func TestLinksOfDemo(t *testing.T) {
	a := start(t, storetest.SQLite)
	if err := fixture.Load(t.Context(), a.store, true, nil, images.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{fixture.DemoStaffToken, fixture.DemoOwnerToken, fixture.DemoUserToken} {
		t.Run(token, func(t *testing.T) {
			a.followLinks(t, token, append(lists, base+"?page_size=300", "/api/users/?page_size=300", "/api/customers/?page_size=300", base+fixture.DemoOrganisation+"/list_users/"))
		})
	}
}

// followLinks follows every URL from some targets on. A team is refused to whom it is not shown.
func (a *app) followLinks(t *testing.T, token string, next []string) {
	t.Helper()
	team := regexp.MustCompile("/list_users/$|/customers/.*/users/$")
	quoted := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	seen := map[string]bool{}
	for ; len(next) > 0; next = next[1:] {
		target := next[0]
		if seen[target] {
			continue
		}
		seen[target] = true
		got := a.send(t, request{Method: "GET", Target: target, Token: token})
		if forbidden := got.Status == http.StatusForbidden && team.MatchString(target); got.Status != http.StatusOK && !forbidden {
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
	a.log.take()
}
