//go:build chaos

package chaos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/tests/world"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// On SQLite a write, of whichever kind, is answered once it is on the disk: seen by the server's
// system calls, what it wrote to the log was synced before the answer left.
func TestSQLiteSyncsBeforeItAnswers(t *testing.T) {
	flag := populate(t, "sqlite:"+filepath.Join(t.TempDir(), "opencalls.db"))
	traced := filepath.Join(t.TempDir(), "trace")
	// -D: the server is the test's child, and strace beside it.
	p := programtest.StartBy(t, []string{"strace", "-D", "-f", "-y", "-s", "16", "-e", "trace=fsync,fdatasync,pwrite64,write", "-o", traced}, "--listen=127.0.0.1:0", flag)
	client, writes := world.NewClient(p.Address), 0
	write := func(method, path string, b world.Body) answer {
		a := do(client, method, path, b, "")
		if !done(a) {
			t.Fatal(a)
		}
		writes++
		return a
	}
	for n := range workers {
		own, grant := base+ownOrganisation(n)+"/", jsonBody(map[string]any{"role": role, "user": grantee(0)})
		write(http.MethodPatch, own, jsonBody(map[string]any{"description": fmt.Sprint("Write ", n)}))
		write(http.MethodPatch, own, imageBody(picture(3, uint64(n))))
		write(http.MethodPatch, own, jsonBody(map[string]any{"image": nil}))
		write(http.MethodPost, own+"add_user/", grant)
		write(http.MethodPost, own+"update_user/", grant)
		write(http.MethodPost, own+"delete_user/", grant)
		created := write(http.MethodPost, base, jsonBody(map[string]any{"customer": "http://x/api/customers/" + spareCustomer(n) + "/"}))
		var spare struct {
			UUID string `json:"uuid"`
		}
		if err := json.Unmarshal([]byte(created.Body), &spare); err != nil {
			t.Fatal(err)
		}
		write(http.MethodDelete, base+spare.UUID+"/", world.Body{})
	}
	p.Stop(t)
	trace := readTrace(t, traced, p.Process.Pid)
	if n := checkSyncs(t, trace); n != writes {
		t.Errorf("%d answers in the trace, not %d", n, writes)
	}
}

// readTrace returns what strace wrote about a process that has ended, once it is complete.
func readTrace(t *testing.T, path string, pid int) []string {
	t.Helper()
	end := fmt.Sprintf("%-5d +++ exited with 0 +++\n", pid) // strace pads short ids
	var trace string
	programtest.Within(t, "the trace ends", func() bool {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		trace = string(content)
		return strings.HasSuffix(trace, end)
	})
	return strings.Split(trace, "\n")
}

// A system call in a trace: as a whole, its beginning or its end.
var (
	walWrite  = regexp.MustCompile(`^\d+ +pwrite64\(\d+<[^>]*-wal>`)
	syncBegin = regexp.MustCompile(`^(\d+) +f(?:data)?sync\(\d+<[^>]*-wal>`)
	syncEnd   = regexp.MustCompile(`^(\d+) +(?:f(?:data)?sync\(\d+<[^>]*-wal>\)|<\.\.\. f(?:data)?sync resumed>\)) += 0$`)
	answered  = regexp.MustCompile(`^\d+ +write\(\d+<[^>]*>, "HTTP/1\.1 20[014] `)
)

// checkSyncs goes through the answers in a trace and returns how many there are: each comes after
// writes to the log, all of which a sync that has ended covers.
func checkSyncs(t *testing.T, trace []string) int {
	t.Helper()
	answers, written, synced := 0, 0, 0
	beginning := map[string]int{} // how much was written when a thread began to sync
	last := 0                     // how much was written before the last answer
	for _, line := range trace {
		if walWrite.MatchString(line) {
			written++
		}
		if m := syncBegin.FindStringSubmatch(line); m != nil {
			beginning[m[1]] = written
		}
		if m := syncEnd.FindStringSubmatch(line); m != nil {
			synced = max(synced, beginning[m[1]])
		}
		if answered.MatchString(line) {
			answers++
			if written == last {
				t.Errorf("answer %d: nothing was written before it", answers)
			}
			if synced < written {
				t.Errorf("answer %d: %d writes to the log before it, %d of them synced", answers, written, synced)
			}
			last = written
		}
	}
	return answers
}
