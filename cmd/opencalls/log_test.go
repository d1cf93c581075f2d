package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// lines are the lines of a log that are JSON objects, without what differs from run to run.
func lines(t *testing.T, log string) (list []map[string]any) {
	t.Helper()
	for line := range strings.Lines(log) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, name := range []string{"time", "duration_ms", "request_id", "bytes", "remote", "address"} {
			if _, there := entry[name]; !there && entry["msg"] == "request" && name != "address" {
				t.Errorf("no %s in %s", name, line)
			}
			delete(entry, name)
		}
		list = append(list, entry)
	}
	return list
}

// A server logs its life, and each request with what an operator looks for. Texts to search for and a user agent
// without a version are not shown, since a token may be pasted into them.
func TestLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "opencalls.db")
	p := start(t, "--demo", "--database-url=sqlite:"+file, "--drain-delay=10ms")
	ask := func(path, agent string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Address+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("User-Agent", agent)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	ask("/readyz", "probe/1.0")
	ask("/api/roles/?page_size=2&name=pasted&unknown=pasted", "client/1.0 (Linux)")
	ask("/api/roles/?page_size=pasted&is_active=pasted", "pasted")
	ask("/nowhere?page_size=pasted", "client/1.0")
	p.Stop(t)

	request := func(more map[string]any) map[string]any {
		line := map[string]any{"level": "INFO", "msg": "request", "method": "GET", "path": "/api/roles/", "operation": "roles_list"}
		for name, value := range more {
			line[name] = value
		}
		return line
	}
	unknown := request(map[string]any{"path": "/nowhere", "status": 404.0, "user_agent": "client/1.0"})
	delete(unknown, "operation")
	want := []map[string]any{
		{"level": "INFO", "msg": "schema migrated", "steps": 1.0},
		{"level": "INFO", "msg": "imported", "demo": true, "files": nil},
		{"level": "INFO", "msg": "serving", "version": "dev", "database": "sqlite:" + file},
		request(map[string]any{"status": 200.0, "query": "name=...&page_size=2", "user_agent": "client/1.0 (Linux)"}),
		request(map[string]any{"status": 400.0, "fields": "is_active,page_size"}),
		unknown,
		{"level": "INFO", "msg": "stopping", "reason": "terminated signal received"},
		{"level": "INFO", "msg": "draining", "delay": "10ms"},
		{"level": "INFO", "msg": "stopped"},
	}
	if diff := cmp.Diff(want, lines(t, p.Log.String())); diff != "" {
		t.Error(diff)
	}
}

// The level and the format of the log can be chosen.
func TestLogFlags(t *testing.T) {
	p := start(t, "--demo", "--database-url=sqlite::memory:", "--log-level=debug", "--log-format=text")
	get(t, p.Address+"/healthz", "")
	p.Stop(t)
	if log := p.Log.String(); !strings.Contains(log, "level=DEBUG msg=request") || !strings.Contains(log, "path=/healthz") {
		t.Errorf("at debug, as text: %s", log)
	}
	quiet := start(t, "--demo", "--database-url=sqlite::memory:", "--log-level=warn")
	get(t, quiet.Address+"/api/roles/", "")
	quiet.Stop(t)
	if log := quiet.Log.String(); log != "" {
		t.Errorf("at warn: %s", log)
	}
	if r := programtest.Command(t, "serve", "--log-level=loud"); r.Status != exitUsage || !strings.Contains(r.Stderr, "--log-level") {
		t.Errorf("--log-level=loud: exit %d: %s", r.Status, r.Stderr)
	}
}
