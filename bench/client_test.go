package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/bench/dataset"
)

// The hand-written client reads what net/http sends, one answer after the other.
func TestClient(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Sent", r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")+" "+string(body))
		switch r.URL.Path {
		case "/short":
			_, _ = io.WriteString(w, "short")
		case "/long": // in chunks
			for range 3 {
				_, _ = io.WriteString(w, strings.Repeat("x", 70_000))
				_ = http.NewResponseController(w).Flush()
			}
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer web.Close()
	c, err := dial(web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		for _, test := range []struct {
			method, target, body string
			status, length       int
		}{
			{"GET", "/short", "", 200, 5}, {"HEAD", "/short", "", 200, 0}, {"GET", "/long", "", 200, 210_000}, {"PATCH", "/other?a=b", `{"a":1}`, 418, 0},
		} {
			var kept answer
			status, err := c.do(newRequest(test.method, test.target, "t", test.body), &kept)
			sent := "X-Sent: " + test.method + " " + test.target + " Token t " + test.body
			if err != nil || status != test.status || kept.Status != test.status || len(kept.Body) != test.length ||
				!strings.Contains(strings.Join(kept.Headers, "\n"), strings.TrimSpace(sent)) {
				t.Errorf("%s %s: %v, status %d, %d bytes, %q", test.method, test.target, err, status, len(kept.Body), kept.Headers)
			}
			status, err = c.do(newRequest(test.method, test.target, "t", test.body), nil)
			if err != nil || status != test.status {
				t.Errorf("%s %s, thrown away: %v, status %d", test.method, test.target, err, status)
			}
		}
	}
}

// Two clients never ask to change the same row, and between them they change all, far from one
// another.
func TestClientsDoNotCollide(t *testing.T) {
	const rows = 1000
	w := workload{Rows: rows, First: 77, Salt: "s"}
	place := map[any]int{}
	for i := range rows {
		place[dataset.Organisation(seed, i)] = i
	}
	for i := range clients {
		w.Known.Newcomers = append(w.Known.Newcomers, [16]byte{byte(i), 2})
	}
	owner := map[any]int{}
	texts := map[string]bool{}
	for client := range clients {
		last := -rows
		for n := range 500 {
			organisation := w.organisation(client, n)
			if other, known := owner[organisation]; known && other != client {
				t.Fatalf("clients %d and %d both change %s", client, other, organisation)
			}
			owner[organisation] = client
			at, known := place[organisation]
			if !known || max(at-last, last-at) < 10*clients {
				t.Fatalf("client %d goes from organisation %d to %d, known is %t", client, last, at, known)
			}
			last = at
			text := w.description(client, n)
			if texts[text] {
				t.Fatalf("%q is not new", text)
			}
			texts[text] = true
		}
		organisation, user := w.newcomer(client)
		if owner[organisation] != client || owner[user] != 0 {
			t.Fatalf("client %d shares the newcomer %s or organisation %s", client, user, organisation)
		}
		owner[user] = client + 1
	}
	if len(owner) != rows+clients {
		t.Errorf("%d organisations and newcomers, not %d", len(owner), rows+clients)
	}
}
