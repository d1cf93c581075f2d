package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store/storetest"
)

// A body that does not come in time is 408, whatever the time for the work on a request is: the
// client is slow, not the server.
func TestEveryBodyHasToCome(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) {
		s.server.RequestTimeout = 30 * time.Second
		s.web = func(web *http.Server) {
			web.ReadHeaderTimeout, web.ReadTimeout = 30*time.Second, 100*time.Millisecond
		}
	})
	const late = "\r\n\r\n{\"detail\":\"The request body did not arrive in time.\"}\n"
	for _, op := range operations {
		if op.RequestBody == nil {
			continue
		}
		for _, length := range []string{"Content-Length: 100000", "Transfer-Encoding: chunked"} {
			t.Run(op.OperationID+"/"+length, func(t *testing.T) {
				got := raw(t, stage.app, stage.names.Replace(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Token token-of-sam\r\n"+
					"Content-Type: application/json\r\n%s\r\n\r\n", op.method, op.target("{zagreb}"), length)))
				if !strings.HasPrefix(got, "HTTP/1.1 408 ") || !strings.HasSuffix(got, late) || !strings.Contains(got, "\r\nConnection: close\r\n") {
					t.Errorf("got\n%s", got)
				}
				if line := stage.log.one(t); line.Level != "INFO" || line.Status != 408 {
					t.Errorf("the log says %+v", line)
				}
				stage.checkChanges(t, scenario{})
			})
		}
	}
}

// A large body takes a turn, and gives it back however the request ends.
func TestTurnsOfLargeBodiesComeBack(t *testing.T) {
	stage := newStage(t, storetest.SQLite)
	const large = 100_000
	for range 5 {
		for _, s := range []scenario{
			{request: "PATCH …/{tartu}/", body: jsonBody(`{"description":"` + strings.Repeat("x", large) + `"}`), status: 400, want: tooLong},
			{request: "PATCH …/{tartu}/", body: jsonBody(strings.Repeat(" ", large)), status: 400, want: `{"detail":"JSON parse error - EOF"}`},
			{as: "bob", request: "PATCH …/{tartu}/", body: jsonBody(`{"unknown":"` + strings.Repeat("x", large) + `"}`), status: 403, want: mayNot},
			{request: "PATCH …/{tartu}/", body: upload(file("image", "a.png", "image/png", svgFile+strings.Repeat(" ", large))), status: 400, want: noImage},
			{request: "PATCH …/{tartu}/", body: jsonBody(`{"unknown":"` + strings.Repeat("x", large) + `"}`), status: 200, want: organisation["tartu"]},
		} {
			s.body.chunked = !s.body.chunked
			stage.play(t, s)
		}
	}
}

// heldBody is a body that comes up to the middle, when it is large already, and goes on later.
type heldBody struct {
	io.ReadCloser
	left         int
	holds, going chan struct{}
}

func (b *heldBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		close(b.holds)
		<-b.going
		b.left = 1 << 30
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// As many large bodies are received at once as there are places; for one more there is none, while
// small ones need none. A place is given back however the request ends.
func TestPlacesOfLargeBodies(t *testing.T) {
	const large = 100_000
	held := &heldBody{left: 80_000, holds: make(chan struct{}), going: make(chan struct{})}
	stage := newStage(t, storetest.SQLite, func(s *setup) {
		s.server.LargeBodies = 1
		s.watch = func(r *http.Request) {
			if r.Header.Get("X-Held") != "" {
				held.ReadCloser, r.Body = r.Body, held
			}
		}
	})
	target := stage.names.Replace("…/{tartu}/")
	upload := request{method: http.MethodPatch, target: target, token: "token-of-sam", body: jsonBody(`{"unknown":"` + strings.Repeat("x", large) + `"}`)}
	slow, answered := upload, make(chan answer, 1)
	slow.header = http.Header{"X-Held": {"1"}}
	go func() {
		got, err := stage.try(slow)
		if err != nil {
			t.Error(err)
		}
		answered <- got
	}()
	<-held.holds
	for range 3 {
		if got := stage.send(t, upload); got.status != 503 || got.body != unavailable+"\n" || got.header.Get("Retry-After") != "1" {
			t.Errorf("one more: %d %s", got.status, got.body)
		}
	}
	if line := stage.log.take(); !strings.Contains(line, "no room for a large body") {
		t.Errorf("logged: %s", line)
	}
	small := upload
	small.body = jsonBody(`{}`)
	if got := stage.send(t, small); got.status != 200 {
		t.Errorf("a small one: %d %s", got.status, got.body)
	}
	close(held.going)
	if got := <-answered; got.status != 200 {
		t.Errorf("the one that was slow: %d %s", got.status, got.body)
	}
	tooLarge := upload
	tooLarge.body = body{mediaType: "application/json", content: strings.Repeat(" ", 2<<20), chunked: true}
	for range 2 {
		for r, status := range map[*request]int{&upload: 200, &tooLarge: 413} {
			if got := stage.send(t, *r); got.status != status {
				t.Errorf("after it: %d %s", got.status, got.body)
			}
		}
	}
}

// Who sends slowly keeps others out of no more than a quarter of the places.
func TestPlacesOfOneUser(t *testing.T) {
	bodies := map[string]*heldBody{}
	for _, name := range []string{"1", "2"} {
		bodies[name] = &heldBody{left: 80_000, holds: make(chan struct{}), going: make(chan struct{})}
	}
	stage := newStage(t, storetest.SQLite, func(s *setup) {
		s.server.LargeBodies = 8
		s.watch = func(r *http.Request) {
			if held := bodies[r.Header.Get("X-Held")]; held != nil {
				held.ReadCloser, r.Body = r.Body, held
			}
		}
	})
	large := func(token string) request {
		return request{method: http.MethodPatch, target: stage.names.Replace("…/{tartu}/"), token: token, body: jsonBody(`{"unknown":"` + strings.Repeat("x", 100_000) + `"}`)}
	}
	var group sync.WaitGroup
	for name, held := range bodies {
		group.Go(func() {
			slow := large("token-of-bob") // who may not even change it
			slow.header = http.Header{"X-Held": {name}}
			if got, err := stage.try(slow); got.status != 403 || err != nil {
				t.Errorf("a slow one: %d %s %v", got.status, got.body, err)
			}
		})
		<-held.holds
	}
	if got := stage.send(t, large("token-of-bob")); got.status != 503 || got.body != unavailable+"\n" {
		t.Errorf("one more: %d %s", got.status, got.body)
	}
	if line := stage.log.take(); !strings.Contains(line, "no room for a large body: 2 of user ") {
		t.Errorf("logged: %s", line)
	}
	if got := stage.send(t, large("token-of-sam")); got.status != 200 {
		t.Errorf("another user: %d %s", got.status, got.body)
	}
	for _, held := range bodies {
		close(held.going)
	}
	group.Wait()
	if got := stage.send(t, large("token-of-bob")); got.status != 403 {
		t.Errorf("after them: %d %s", got.status, got.body)
	}
}

// A file that can't be written is no fault of the client's, and its place is not the client's
// business.
func TestLargeBodyWithoutADisk(t *testing.T) {
	stage := newStage(t, storetest.SQLite)
	t.Setenv("TMPDIR", t.TempDir()+"/gone")
	stage.play(t, scenario{request: "PATCH …/{tartu}/", body: jsonBody(`{}`), status: 200, want: organisation["tartu"]})
	got := stage.send(t, request{method: http.MethodPatch, target: stage.names.Replace("…/{tartu}/"), token: "token-of-sam", body: jsonBody(strings.Repeat(" ", 100_000))})
	if got.status != 503 || got.body != unavailable+"\n" || got.header.Get("Retry-After") != "1" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if line := stage.log.one(t); line.Level != "ERROR" || !strings.HasPrefix(line.Error, "no room for a large body: open ") {
		t.Errorf("the log says %+v", line)
	}
}

// However often readyz is asked, the database is asked once a second.
func TestReadyzSparesTheDatabase(t *testing.T) {
	const requests = 100
	storetest.Each(t, func(t *testing.T, engine string) {
		var statements storetest.Statements
		app := start(t, engine, func(s *setup) { s.store = append(s.store, statements.Use) })
		statements.Reset()
		var group sync.WaitGroup
		for range requests {
			group.Go(func() {
				if got, err := app.try(request{method: http.MethodGet, target: "/readyz"}); err != nil || got.status != 200 {
					t.Errorf("%d %v", got.status, err)
				}
			})
		}
		group.Wait()
		if n := statements.Count(); n < 1 || n > requests/2 {
			t.Errorf("%d statements", n)
		}
	})
}
