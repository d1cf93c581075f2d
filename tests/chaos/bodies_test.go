//go:build chaos

package chaos

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// The disk on which large bodies wait is full: they are 503 and the log says why, everything else
// goes on, and as soon as there is room again they are taken.
func TestFullTemporaryDisk(t *testing.T) {
	disk := smallDisk(t)
	flag := populate(t, "sqlite:"+filepath.Join(t.TempDir(), "opencalls.db"))
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	p := programtest.StartBy(t, []string{"env", "TMPDIR=" + disk}, "--listen=127.0.0.1:0", flag)
	l, own := newLoad(), base+ownOrganisation(0)+"/"
	patch := func(description string) answer {
		var a answer
		a.fill(l.do(p.Address, http.MethodPatch, own, jsonBody(map[string]any{"description": description, "unknown": strings.Repeat("x", 200_000)}), ""))
		return a
	}
	for range 3 {
		if a := patch("on a full disk"); !refusedForNow(a) {
			t.Errorf("a large body on a full disk: %s", a)
		}
	}
	programtest.Within(t, "the log says what is full", func() bool {
		return strings.Count(p.Log.String(), "no space left on device") == 3
	})
	for method, b := range map[string]body{http.MethodGet: {}, http.MethodPatch: jsonBody(map[string]any{"description": "small"})} {
		var a answer
		if a.fill(l.do(p.Address, method, own, b, "")); a.status != http.StatusOK {
			t.Errorf("%s: %s", method, a)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if a := patch("with room again"); a.status != http.StatusOK || !strings.Contains(a.body, "with room again") {
			t.Errorf("with room again: %s", a)
		}
	}
	p.Stop(t)
	if log := p.Log.String(); strings.Count(log, "no space left on device") != 3 || strings.Contains(log, "database") {
		t.Errorf("the log says more than what is full: %s", log)
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) > 0 {
		t.Errorf("left on the disk: %v %v", left, err)
	}
}
