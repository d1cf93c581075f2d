package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/opencalls/opencalls/passwords"
	"github.com/opencalls/opencalls/store/storetest"
)

func TestDocsFiles(t *testing.T) {
	a := start(t, storetest.SQLite, plainly)
	mediaTypes := map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
		".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", "": "text/plain; charset=utf-8",
	}
	var names []string
	err := fs.WalkDir(os.DirFS("docs"), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		names = append(names, name)
		content, err := os.ReadFile(filepath.Join("docs", name))
		if err != nil {
			return err
		}
		target := "/api/docs/" + strings.TrimSuffix(name, "index.html")
		got := checkCached(t, a, target)
		if got.Body != string(content) {
			t.Errorf("%s is not what docs/%s holds", target, name)
		}
		if want, known := mediaTypes[path.Ext(name)]; !known || got.Header.Get("Content-Type") != want {
			t.Errorf("%s: Content-Type %q, want %q", target, got.Header.Get("Content-Type"), want)
		}
		policy := got.Header.Get("Content-Security-Policy")
		for _, directive := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "connect-src 'self'"} {
			if !strings.Contains(policy, directive) {
				t.Errorf("%s: Content-Security-Policy %q lacks %s", target, policy, directive)
			}
		}
		if strings.Contains(policy, "unsafe") || got.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", target, got.Header)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, licence := range []string{"swagger-ui/LICENSE", "swagger-ui/NOTICE", "swagger-ui/swagger-ui-bundle.js.LICENSE.txt"} {
		if !slices.Contains(names, licence) {
			t.Errorf("docs/ lacks %s", licence)
		}
	}
	for _, target := range []string{"/api/docs/nothing.js", "/api/docs/index.html", "/api/docs/swagger-ui/", "/api/docs/../docs.go", "/api/docs/%2e%2e/docs.go", "/api/docs//docs.js"} {
		got := a.send(t, request{Method: "GET", Target: target})
		if got.Status != http.StatusNotFound || got.Body != `{"detail":"Not found."}`+"\n" {
			t.Errorf("%s: %d %s", target, got.Status, got.Body)
		}
	}
	for target, want := range map[string]string{"/": "302 /api/docs/", "/api/docs": "301 /api/docs/"} {
		for _, method := range []string{"GET", "HEAD"} {
			got := a.send(t, request{Method: method, Target: target})
			if led := fmt.Sprintf("%d %s", got.Status, got.Header.Get("Location")); led != want {
				t.Errorf("%s %s: %s, want %s", method, target, led, want)
			}
		}
	}
}

// TestDocsInBrowser uses the page as somebody with a token would, at the desk and on a phone.
func TestDocsInBrowser(t *testing.T) {
	for _, test := range []struct {
		name          string
		width, height int64
		emulate       []chromedp.EmulateViewportOption
		typed         string // under Authorize
	}{
		{"desktop", 1280, 900, nil, "YOUR_API_TOKEN"},
		{"phone", 390, 844, []chromedp.EmulateViewportOption{chromedp.EmulateMobile}, "Token YOUR_API_TOKEN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := start(t, storetest.SQLite, plainly, func(s *setup) { s.server.PublicURL = "" })
			a.world.Import(t, `
customers:
  - {uuid: {tartu.customer}, name: University of Tartu}
  - {uuid: {tallinn.customer}, name: Tallinn University of Technology}
users: [{uuid: {staff}, username: staff, is_staff: true, token: YOUR_API_TOKEN}]
call_managing_organisations:
  - {uuid: {tartu}, customer: {tartu.customer}, description: Calls of Tartu}
  - {uuid: {tallinn}, customer: {tallinn.customer}}
`)
			picture := filepath.Join(t.TempDir(), "logo.png")
			if err := os.WriteFile(picture, []byte(pngFile), 0o600); err != nil {
				t.Fatal(err)
			}

			p := openPage(t)
			p.do("open", chromedp.EmulateViewport(test.width, test.height, test.emulate...), chromedp.Navigate(a.url+"/"))
			p.authorise(test.typed)

			p.expand("call_managing_organisations_list")
			status, body := p.execute("call_managing_organisations_list")
			var list []map[string]any
			if err := json.Unmarshal([]byte(body), &list); err != nil || status != "200" || len(list) != 2 ||
				list[0]["customer_name"] != "Tallinn University of Technology" || list[1]["customer_name"] != "University of Tartu" {
				t.Errorf("the page shows %s %s (%v)", status, body, err)
			}
			if curl := get(p, chromedp.TextContent(chromedp.CSS(".curl"))); !strings.Contains(curl, "'Authorization: Token YOUR_API_TOKEN'") {
				t.Errorf("what is sent for the token %q: %s", test.typed, curl)
			}

			const retrieve = "call_managing_organisations_retrieve"
			p.expand(retrieve)
			if status, body := p.execute(retrieve); status != "200" || !strings.Contains(body, a.world.IDs["tallinn"].String()) {
				t.Errorf("the page shows %s %s", status, body)
			}

			// A form sends only what was filled in, and what is typed counts before what was filled in.
			const update = "call_managing_organisations_partial_update"
			p.expand(update)
			id := within(update, `tr[data-param-name="uuid"] input`)
			get(p, chromedp.Evaluate[bool](fmt.Sprintf(`document.querySelector(%q).select(), true`, id)))
			p.do("fill the form",
				chromedp.SendKeys(id, a.world.IDs["tartu"].String()),
				chromedp.SetValue(within(update, `select[aria-label="Request content type"]`), "multipart/form-data"),
				chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
					_, err := chromedp.Evaluate[bool](fmt.Sprintf(`document.querySelector(%q).dispatchEvent(new Event('change', {bubbles: true}))`,
						within(update, `select[aria-label="Request content type"]`)))(ctx, target)
					return err
				}),
				chromedp.SetUploadFiles(within(update, `input[type="file"]`), []string{picture}),
			)
			status, body = p.execute(update)
			var updated map[string]any
			if err := json.Unmarshal([]byte(body), &updated); err != nil || status != "200" || updated["description"] != "Calls of Tartu" || updated["image"] == nil {
				t.Errorf("the page shows %s %s (%v)", status, body, err)
			}

			// An empty field of a file takes the image away.
			p.do("empty the form",
				chromedp.Click(within(update, ".btn-clear")), // the answer
				chromedp.Click(within(update, ".try-out__btn.reset")),
				chromedp.Click(within(update, `tr[data-property-name="image"] .parameter__empty_value_toggle input`)),
			)
			status, body = p.execute(update)
			updated = nil
			if err := json.Unmarshal([]byte(body), &updated); err != nil || status != "200" || updated["uuid"] == nil || updated["image"] != nil {
				t.Errorf("without its image the page shows %s %s (%v)", status, body, err)
			}

			p.do("expand everything", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
				_, err := chromedp.Evaluate[int](`document.querySelectorAll('.opblock:not(.is-open) .opblock-summary-control').forEach((b) => b.click()), 0`)(ctx, target)
				return err
			}), chromedp.WaitNotPresent(chromedp.CSS(".opblock:not(.is-open)")))
			if width := get(p, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); width > test.width {
				t.Errorf("the page is %d pixels wide", width)
			}
			if leads := get(p, chromedp.Evaluate[bool](`[...document.querySelectorAll('a')].some((a) => a.href.endsWith('/managing-organisations/'))`)); !leads {
				t.Error("no link to the reference page")
			}
			if place := get(p, chromedp.Location()); !strings.HasPrefix(place, a.url+"/api/docs/#/") {
				t.Errorf("the page is at %s", place)
			}
			if kept := get(p, chromedp.Evaluate[int](`localStorage.length + sessionStorage.length + document.cookie.length`)); kept != 0 {
				t.Error("the page keeps something in the browser")
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			for _, fault := range p.faults {
				t.Error("the console: " + fault)
			}
		})
	}
}

// TestDocsSignIn signs in on the page by a password, on a phone.
func TestDocsSignIn(t *testing.T) {
	a := start(t, storetest.SQLite, plainly, func(s *setup) { s.server.PublicURL = "" })
	a.world.Import(t, fmt.Sprintf("users: [{uuid: {bob}, username: bob, password_hash: %q}]", passwords.Hash("the password")))
	p := openPage(t)
	p.do("open", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), chromedp.Navigate(a.url+"/"))
	p.signIn("bob", "The password")
	const refusal = ".sign-in output:not(:empty)"
	p.do("wait", chromedp.WaitVisible(chromedp.CSS(refusal)))
	if text := get(p, chromedp.Text(chromedp.CSS(refusal))); text != "Invalid username/password." {
		t.Errorf("the page says %q", text)
	}
	if width := get(p, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); width > 390 {
		t.Errorf("the page is %d pixels wide", width)
	}
	p.mu.Lock()
	p.faults = nil // the 401
	p.mu.Unlock()
	p.signIn("bob", "the password")
	p.do("wait", chromedp.WaitNotPresent(chromedp.CSS(".sign-in")))
	const list = "call_managing_organisations_list"
	p.expand(list)
	if status, body := p.execute(list); status != "200" {
		t.Errorf("the page shows %s %s", status, body)
	}
	if curl := get(p, chromedp.TextContent(chromedp.CSS(".curl"))); !strings.Contains(curl, "'Authorization: Token token-of-sign-in-1'") {
		t.Errorf("what is sent: %s", curl)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, fault := range p.faults {
		t.Error("the console: " + fault)
	}
}

// browserPage is a page in a browser of its own.
type browserPage struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	faults []string // what the console shows, a request to another place too
}

// openPage starts a browser that can reach nothing but this machine.
func openPage(t *testing.T) *browserPage {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the page is tested in Chromium, which is not here: apt-get install chromium")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium),
		chromedp.DisableGPU,
		chromedp.NoSandbox, // which root can't have; the page is our own
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	p := &browserPage{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.note); err != nil {
		t.Fatal(err)
	}
	return p
}

// note keeps what the test looks at in the end. A violation of the page's policy and a failed
// request are entries of the log.
func (p *browserPage) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case *log.EventEntryAdded:
		p.faults = append(p.faults, fmt.Sprintf("%s: %s %s", event.Entry.Level, event.Entry.Text, event.Entry.URL))
	case *runtime.EventConsoleAPICalled:
		text, _ := json.Marshal(event.Args)
		p.faults = append(p.faults, fmt.Sprintf("%s: %s", event.Type, text))
	case *runtime.EventExceptionThrown:
		p.faults = append(p.faults, "exception: "+event.ExceptionDetails.Text)
	}
}

func (p *browserPage) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.t.Fatalf("%s: %v; the console: %q", what, err, p.faults)
	}
}

// get returns what an action reads off a page.
func get[T any](p *browserPage, action chromedp.Action[T]) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, action)
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

func (p *browserPage) authorise(typed string) {
	p.t.Helper()
	p.do("authorise",
		chromedp.Click(chromedp.CSS(".scheme-container .btn.authorize")),
		chromedp.SendKeys(chromedp.CSS(".auth-container input"), typed),
		chromedp.Click(chromedp.CSS(".auth-btn-wrapper .btn.authorize")),
		chromedp.WaitNotPresent(chromedp.CSS(".auth-container input")),
		chromedp.Click(chromedp.CSS(".auth-btn-wrapper .btn-done")),
	)
}

func (p *browserPage) signIn(username, password string) {
	p.t.Helper()
	p.do("sign in",
		chromedp.SetValue(chromedp.CSS(".sign-in [name=username]"), username),
		chromedp.SetValue(chromedp.CSS(".sign-in [name=password]"), password),
		chromedp.Click(chromedp.CSS(".sign-in button")),
	)
}

func (p *browserPage) expand(id string) {
	p.t.Helper()
	// Its parameters have names once Swagger UI has followed their references: before that it
	// can't send the request.
	p.do("expand "+id, chromedp.Click(within(id, ".opblock-summary-control")), chromedp.WaitVisible(within(id, ".btn.execute")),
		chromedp.WaitVisible(within(id, `tr[data-param-in="query"], tr[data-param-in="path"]`)), chromedp.WaitNotPresent(within(id, ".opblock-loading-animation")))
}

// execute sends an operation's request and returns the status and the body that the page shows.
func (p *browserPage) execute(id string) (status, body string) {
	p.t.Helper()
	p.do("execute "+id, chromedp.Click(within(id, ".btn.execute")), chromedp.WaitVisible(within(id, ".live-responses-table .response")))
	status = get(p, chromedp.Text(within(id, ".live-responses-table .response .response-col_status")))
	body = get(p, chromedp.TextContent(within(id, ".live-responses-table .response .highlight-code code")))
	return strings.TrimSpace(status), body
}

// within selects something in an operation of the page.
func within(id, selector string) chromedp.CSS {
	return chromedp.CSS("#operations-call-managing-organisations-" + id + " " + selector)
}
