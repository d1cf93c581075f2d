package opencallstest_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/gen/client"
	"github.com/opencalls/opencalls/opencallstest"
)

const (
	customer = "c0000000-0000-4000-8000-000000000016" // of the demo world, without an organisation

	alice = "users:\n  - {uuid: e0000000-0000-4000-8000-000000000001, username: alice, is_staff: true, token: token-of-alice}\n"
	tartu = "customers:\n  - {uuid: c0000000-0000-4000-8000-000000000001, name: Tartu}\n" +
		"call_managing_organisations:\n" +
		"  - {uuid: 00000000-0000-4000-8000-000000000001, customer: c0000000-0000-4000-8000-000000000001, description: Tartu}\n"
)

// listed are the descriptions of the organisations that a server lists.
func listed(t *testing.T, s *opencallstest.Server, token string) []string {
	t.Helper()
	answer, err := s.Client(token).CallManagingOrganisationsListWithResponse(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.JSON200 == nil {
		t.Fatalf("list: %s %s", answer.Status(), answer.Body)
	}
	var descriptions []string
	for _, o := range *answer.JSON200 {
		descriptions = append(descriptions, o.Description)
	}
	return descriptions
}

func worldFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "world.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A server has its own world, and shares nothing with the next one.
func TestWorlds(t *testing.T) {
	first, second := worldFile(t, alice), worldFile(t, tartu)
	s := opencallstest.Start(t, opencallstest.World(first), opencallstest.World(second))
	if got := listed(t, s, "token-of-alice"); len(got) != 1 || got[0] != "Tartu" {
		t.Errorf("of two files: %q", got)
	}
	if got := listed(t, opencallstest.Start(t, opencallstest.World(first)), "token-of-alice"); len(got) != 0 {
		t.Errorf("of one file: %q", got)
	}
	answer, err := s.Client("").CallManagingOrganisationsListWithResponse(t.Context(), nil)
	if err != nil || answer.JSON401 == nil {
		t.Errorf("without a token: %v %v", answer, err)
	}
}

// The demo world's tokens work, and changes are kept.
func TestDemo(t *testing.T) {
	s := opencallstest.Start(t, opencallstest.Demo())
	body := client.CallManagingOrganisationsCreateJSONRequestBody{Customer: s.URL + "/api/customers/" + customer + "/"}
	made, err := s.Client(fixture.DemoStaffToken).CallManagingOrganisationsCreateWithResponse(t.Context(), body)
	if err != nil || made.JSON201 == nil {
		t.Fatalf("create: %v %v", made, err)
	}
	if !strings.HasPrefix(made.JSON201.URL, s.URL) {
		t.Errorf("its URL is %s", made.JSON201.URL)
	}
	got, err := s.Client(fixture.DemoOwnerToken).CallManagingOrganisationsRetrieveWithResponse(t.Context(), made.JSON201.UUID)
	if err != nil || got.JSON200 == nil {
		t.Errorf("retrieve: %v %v", got, err)
	}
}

// failing is a test that only notes how it failed.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatal(args ...any) {
	f.said = fmt.Sprint(args...)
	runtime.Goexit()
}

// What is wrong with a world fails the test, and names the file and the line.
func TestWrongWorlds(t *testing.T) {
	for world, want := range map[string]string{
		worldFile(t, "users:\n  - {username: alice, colour: red}\n"): "world.yaml:2: users[0]",
		filepath.Join(t.TempDir(), "none.yaml"):                      "none.yaml: no such file",
	} {
		f := &failing{TB: t}
		var done sync.WaitGroup
		done.Go(func() { opencallstest.Start(f, opencallstest.World(world)) })
		done.Wait()
		if !strings.Contains(f.said, want) {
			t.Errorf("said %q, want %q", f.said, want)
		}
	}
}

// 200 servers run at once in one process. Each starts quickly and is small.
func TestManyServers(t *testing.T) {
	const servers = 200
	world := worldFile(t, alice+tartu)
	opencallstest.Start(t, opencallstest.World(world)) // makes what all of them share
	memory, processor, begin := residentMemory(t), processorTime(t), time.Now()
	var started []*opencallstest.Server
	for range servers {
		s := opencallstest.Start(t, opencallstest.World(world))
		listed(t, s, "token-of-alice")
		started = append(started, s)
	}
	took := time.Since(begin) / servers
	processor = (processorTime(t) - processor) / servers
	var asked sync.WaitGroup
	for _, s := range started {
		asked.Go(func() {
			for range 10 {
				r, err := http.Get(s.URL + "/readyz")
				if err != nil || r.StatusCode != http.StatusOK {
					t.Errorf("%v %v", r, err)
					return
				}
				_ = r.Body.Close()
			}
		})
	}
	asked.Wait()
	memory = (residentMemory(t) - memory) / servers
	t.Logf("%d servers, each started and asked in %s, %s of a processor; %d KiB each", servers, took, processor, memory>>10)
	if raceDetector() {
		return // it takes a multiple of both
	}
	// The processor's time is what an idle machine would take.
	if processor > 50*time.Millisecond {
		t.Errorf("a server takes %s of a processor to start", processor)
	}
	if memory > 10<<20 {
		t.Errorf("a server takes %d KiB", memory>>10)
	}
}

// residentMemory is the memory of this process in bytes, as Linux tells it.
func residentMemory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	var kib int64
	if _, err := fmt.Sscan(after, &kib); err != nil {
		t.Fatalf("no VmRSS in\n%s", status)
	}
	return kib << 10
}

// processorTime is what this process has used up to now.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// raceDetector says whether the test was built with -race.
func raceDetector() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
