package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store/storetest"
)

// Who loses their rights while the body of a request is still coming changes nothing any more.
func TestRightsEndWhileTheBodyComes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		t.Parallel()
		var statements storetest.Statements
		stage := newStage(t, engine, func(s *setup) { s.store = append(s.store, statements.Use) })
		before := stage.before
		for _, loss := range []struct {
			name, as, statement string
			status              int
			want                string
		}{
			{"the token is revoked", "sam", "DELETE FROM tokens WHERE user_uuid = '{sam}'", 401, `{"detail":"Invalid token."}`},
			{"the token expires", "sam", "UPDATE tokens SET expires = '2027-01-31 12:30:45+00:00' WHERE user_uuid = '{sam}'", 401, `{"detail":"Token has expired."}`},
			{"the user is deactivated", "sam", "UPDATE users SET is_active = false WHERE uuid = '{sam}'", 401, `{"detail":"User inactive or deleted."}`},
			{"the user is staff no longer", "sam", "UPDATE users SET is_staff = false WHERE uuid = '{sam}'", 403, mayNot},
			{"the role is revoked", "olev", "UPDATE user_roles SET revoked = created WHERE user_uuid = '{olev}'", 403, mayNot},
		} {
			for _, op := range operations {
				if op.RequestBody == nil || op.Security != nil { // one that needs no token loses none
					continue
				}
				t.Run(loss.name+"/"+op.OperationID, func(t *testing.T) {
					s := op.example()
					s.as = loss.as
					status, want := loss.status, loss.want
					if op.OperationID == "users_partial_update" { // sam goes on changing themselves
						s.request = "PATCH /api/users/{carl}/"
						if loss.as == "olev" { // who doesn't see carl any more
							status, want = 404, noUser
						}
					}
					statements.Reset()
					got := stage.sendSlowly(t, stage.request(s), func() {
						eventually(t, func() bool { return len(statements.All()) > 0 }) // the request has been let in
						stage.exec(t, stage.names.Replace(loss.statement))
						stage.before = storetest.Dump(t, stage.sql)
					})
					if !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", status)) || !strings.HasSuffix(got, "\r\n\r\n"+want+"\n") {
						t.Errorf("got\n%s", got)
					}
					if strings.Contains(got, "\r\nWww-Authenticate: Token\r\n") != (status == 401) {
						t.Errorf("got\n%s", got)
					}
					stage.checkChanges(t, scenario{})
					stage.before = before
					stage.restore(t)
				})
			}
		}
	})
}

// sendSlowly sends all of a request but the last byte, and that after what happens meanwhile. It returns the
// bytes of the answer.
func (a *stage) sendSlowly(t *testing.T, r request, meanwhile func()) string {
	t.Helper()
	content := r.Body.Content
	last := len(content) - 1
	answer := raw(t, a.app, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Token %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		r.Method, r.Target, r.Token, r.Body.MediaType, last+1, content[:last]), func() string {
		meanwhile()
		return content[last:]
	})
	a.log.one(t)
	return answer
}

// eventually waits until a condition holds.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}
