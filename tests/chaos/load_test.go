//go:build chaos || soak

package chaos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/opencalls/opencalls/tests/world"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// load is what clients do at the same time, and what they were told about it. Each worker writes
// to objects of its own, one request after another.
type load struct {
	workers [workers]*worker

	mu      sync.Mutex
	answers []answer
}

// answer is what came of a request.
type answer struct {
	world.Answer   // Status 0: none came
	sent, received time.Time
	what           string
	err            error // why there is none
}

func (a answer) String() string {
	return fmt.Sprintf("%s: %d %s %v after %s", a.what, a.Status, a.Body, a.err, a.received.Sub(a.sent))
}

// worker is one client, with its ledger.
type worker struct {
	load    *load
	client  *world.Client
	number  int
	random  *rand.Rand
	written []*write
}

// write is a request that changes something.
type write struct {
	id     string // the request's, which the audit event has too
	what   string
	status int // of the answer; 0: none
	// changes says whether anything changes at all, given what there was before.
	changes func(belongings) bool
	apply   func(*belongings)
}

// acknowledged says that the client was told that it has been done.
func (w *write) acknowledged() bool { return w.status >= 200 && w.status < 300 }

// refused says that the client was told that it can't be done.
func (w *write) refused() bool { return w.status >= 400 && w.status < 500 }

// belongings are what writes change of what a worker has.
type belongings struct {
	description string
	image       string         // its SHA-256
	grants      [grantees]bool // who holds the role on its organisation
	spare       bool           // its other customer is an organisation too
}

func newLoad() *load {
	l := &load{}
	for n := range l.workers {
		l.workers[n] = &worker{load: l, number: n, random: rand.New(rand.NewPCG(1, uint64(n)))}
	}
	return l
}

// run has the workers send requests to a server until the returned function is called, which
// waits for the answers to those under way.
func (l *load) run(address string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	client := world.NewClient(address)
	client.HTTP.Timeout = time.Minute
	var all sync.WaitGroup
	for _, w := range l.workers {
		w.client = client
		all.Go(func() {
			for ctx.Err() == nil {
				w.step()
			}
		})
	}
	return func() { cancel(); all.Wait(); client.HTTP.CloseIdleConnections() }
}

// acknowledged counts the writes that clients were told are done.
func (l *load) acknowledged() int {
	n := 0
	for _, w := range l.workers {
		for _, write := range w.written {
			if write.acknowledged() {
				n++
			}
		}
	}
	return n
}

// taken returns the answers since the last call.
func (l *load) taken() []answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	answers := l.answers
	l.answers = nil
	return answers
}

// wait waits until there are so many answers of a kind since they were last taken.
func (l *load) wait(t *testing.T, n int, what string, is func(answer) bool) {
	t.Helper()
	programtest.Within(t, fmt.Sprintf("%d answers %s", n, what), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		found := 0
		for _, a := range l.answers {
			if is(a) {
				found++
			}
		}
		return found >= n
	})
}

// done says that the client was told that what it asked for is done.
func done(a answer) bool { return a.Status >= 200 && a.Status < 300 }

// failed says that a request was neither done nor refused for good.
func failed(a answer) bool { return a.Status == 0 || a.Status >= 500 }

// refusedForNow says that the client was asked to come again, in the way that it can tell.
func refusedForNow(a answer) bool {
	return a.Status == 503 && a.Header.Get("Retry-After") == "1" && a.Body == `{"detail":"Service temporarily unavailable."}`+"\n"
}

// step sends one request, or two where the second needs what the first finds.
func (w *worker) step() {
	user := w.random.IntN(grantees)
	switch own := base + ownOrganisation(w.number) + "/"; w.random.IntN(9) {
	case 0, 1:
		text := uuid.NewString()
		w.write("describe", http.MethodPatch, own, jsonBody(map[string]any{"description": text}), always, func(b *belongings) { b.description = text })
	case 2:
		content := picture(w.random.Uint64(), w.random.Uint64())
		sum := sha256.Sum256(content)
		w.write("set the image", http.MethodPatch, own, imageBody(content), always, func(b *belongings) { b.image = hex.EncodeToString(sum[:]) })
	case 3:
		w.write("clear the image", http.MethodPatch, own, jsonBody(map[string]any{"image": nil}), always, func(b *belongings) { b.image = "" })
	case 4, 5:
		w.write("grant", http.MethodPost, own+"add_user/", jsonBody(map[string]any{"role": role, "user": grantee(user)}),
			func(b belongings) bool { return !b.grants[user] }, func(b *belongings) { b.grants[user] = true })
	case 6:
		w.write("revoke", http.MethodPost, own+"delete_user/", jsonBody(map[string]any{"role": role, "user": grantee(user)}),
			func(b belongings) bool { return b.grants[user] }, func(b *belongings) { b.grants[user] = false })
	case 7:
		w.write("create", http.MethodPost, base, jsonBody(map[string]any{"customer": "http://x/api/customers/" + spareCustomer(w.number) + "/"}),
			func(b belongings) bool { return !b.spare }, func(b *belongings) { b.spare = true })
	case 8:
		w.destroySpare()
	}
}

func always(belongings) bool { return true }

// destroySpare deletes the spare customer's organisation, where a list shows one.
func (w *worker) destroySpare() {
	list := w.send("look for the spare", http.MethodGet, base+"?customer_uuid="+spareCustomer(w.number), world.Body{}, "")
	var found []struct {
		UUID string `json:"uuid"`
	}
	if list.Status != http.StatusOK || json.Unmarshal([]byte(list.Body), &found) != nil || len(found) == 0 {
		return
	}
	w.write("destroy", http.MethodDelete, base+found[0].UUID+"/", world.Body{},
		func(b belongings) bool { return b.spare }, func(b *belongings) { b.spare = false })
}

func jsonBody(value map[string]any) world.Body {
	content, _ := json.Marshal(value) // texts and null
	return world.JSON(string(content))
}

// imageBody is a form that sets the image.
func imageBody(content []byte) world.Body {
	return world.Multipart(world.File("image", "image.png", "image/png", string(content)))
}

// write sends a request that changes something, and enters it into the ledger.
func (w *worker) write(what, method, path string, b world.Body, changes func(belongings) bool, apply func(*belongings)) {
	entry := &write{id: uuid.NewString(), what: what, changes: changes, apply: apply}
	entry.status = w.send(what, method, path, b, entry.id).Status
	w.written = append(w.written, entry)
}

func (w *worker) send(what, method, path string, b world.Body, requestID string) answer {
	a := do(w.client, method, path, b, requestID)
	a.what = fmt.Sprintf("worker %d: %s", w.number, what)
	w.load.mu.Lock()
	w.load.answers = append(w.load.answers, a)
	w.load.mu.Unlock()
	if a.err != nil {
		time.Sleep(10 * time.Millisecond) // nobody listens, for a while
	}
	return a
}

// do sends a request as staff.
func do(c *world.Client, method, path string, b world.Body, requestID string) answer {
	r := world.Request{Method: method, Target: path, Token: staffToken, Body: b, Header: http.Header{}}
	if requestID != "" {
		r.Header.Set("X-Request-ID", requestID)
	}
	a := answer{what: method, sent: time.Now()}
	a.Answer, a.err = c.Send(r)
	a.received = time.Now()
	return a
}

// none fails the test for each of the answers that is not as it should be, the first few in full.
func none(t *testing.T, answers []answer, wrong string, is func(answer) bool) {
	t.Helper()
	n := 0
	for _, a := range answers {
		if is(a) {
			if n++; n <= 5 {
				t.Errorf("%s: %s", wrong, a)
			}
		}
	}
	if n > 5 {
		t.Errorf("%s: %d in all", wrong, n)
	}
}
