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

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/gen/client"
	"github.com/opencalls/opencalls/opencallstest"
)

const (
	alice = `users:
  - {uuid: e0000000-0000-4000-8000-000000000001, username: alice, is_staff: true, token: token-of-alice}
`
	tartu = `customers:
  - {uuid: c0000000-0000-4000-8000-000000000001, name: Tartu}
call_managing_organisations:
  - uuid: 0c000000-0000-4000-8000-000000000001
    customer: c0000000-0000-4000-8000-000000000001
    description: Tartu
`
)

var (
	aliceID = uuid.MustParse("e0000000-0000-4000-8000-000000000001")
	tartuID = uuid.MustParse("0c000000-0000-4000-8000-000000000001")
	january = time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
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

func worldFile(t testing.TB, text string) string {
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

// Changes are kept, and URLs are those of the server.
func TestChanges(t *testing.T) {
	s := opencallstest.Start(t, opencallstest.World(worldFile(t, alice+tartu)))
	describe(t, s, "changed")
	got, err := s.Client("token-of-alice").CallManagingOrganisationsRetrieveWithResponse(t.Context(), tartuID)
	if err != nil || got.JSON200 == nil {
		t.Fatalf("retrieve: %v %v", got, err)
	}
	if got.JSON200.Description != "changed" || !strings.HasPrefix(got.JSON200.URL, s.URL) {
		t.Errorf("%q at %s", got.JSON200.Description, got.JSON200.URL)
	}
}

// A reset goes back to the world and the clock of the start, and removes faults. Another server sees nothing of that.
func TestReset(t *testing.T) {
	world := worldFile(t, alice+tartu)
	s := opencallstest.Start(t, opencallstest.World(world), opencallstest.At(january))
	other := opencallstest.Start(t, opencallstest.World(world), opencallstest.At(january))
	for range 2 {
		describe(t, s, "changed")
		s.Advance(time.Hour)
		s.Fail("call_managing_organisations_list", http.StatusServiceUnavailable, 0)
		if got := listed(t, other, "token-of-alice"); got[0] != "Tartu" {
			t.Errorf("another server: %q", got)
		}
		s.Reset()
		if got := listed(t, s, "token-of-alice"); got[0] != "Tartu" {
			t.Errorf("after a reset: %q", got)
		}
		if got := grantedAt(t, s); !got.Equal(january) {
			t.Errorf("after a reset it is %s", got)
		}
	}
}

// The clock stands still, and is set and moved.
func TestTime(t *testing.T) {
	s := opencallstest.Start(t, opencallstest.World(worldFile(t, alice+tartu)), opencallstest.At(january))
	for _, move := range []struct {
		by   func()
		want time.Time
	}{
		{func() {}, january},
		{func() { s.Advance(48 * time.Hour) }, january.Add(48 * time.Hour)},
		{func() { s.Advance(-time.Hour) }, january.Add(47 * time.Hour)},
		{func() { s.SetTime(january.AddDate(10, 0, 0)) }, january.AddDate(10, 0, 0)},
	} {
		move.by()
		if got := grantedAt(t, s); !got.Equal(move.want) {
			t.Errorf("it is %s, want %s", got, move.want)
		}
	}
	s = opencallstest.Start(t, opencallstest.World(worldFile(t, alice+tartu)))
	if got := grantedAt(t, s); time.Since(got).Abs() > time.Minute {
		t.Errorf("without a time it is %s", got)
	}
}

// A fault is met as many times as it says. What was sent is there to look at.
func TestFaultsAndRequests(t *testing.T) {
	s := opencallstest.Start(t, opencallstest.World(worldFile(t, alice+tartu)))
	s.Fail("call_managing_organisations_partial_update", http.StatusTooManyRequests, 1)
	for _, want := range []int{http.StatusTooManyRequests, http.StatusOK} {
		if got := describe(t, s, "changed"); got != want {
			t.Errorf("status %d, want %d", got, want)
		}
	}
	var sent []string
	for _, r := range s.Requests() {
		sent = append(sent, fmt.Sprint(r.OperationID, r.Status, r.Body))
	}
	want := []string{
		`call_managing_organisations_partial_update429{"description":"changed"}`,
		`call_managing_organisations_partial_update200{"description":"changed"}`,
	}
	if !slices.Equal(sent, want) {
		t.Errorf("sent %q", sent)
	}
}

// describe changes the description of the world's organisation.
func describe(t *testing.T, s *opencallstest.Server, text string) (status int) {
	t.Helper()
	api, body := s.Client("token-of-alice"), client.PatchedCallManagingOrganisationRequest{Description: &text}
	answer, err := api.CallManagingOrganisationsPartialUpdateWithResponse(t.Context(), tartuID, body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode()
}

// grantedAt grants a role and revokes it, and returns when that was by the server's clock.
func grantedAt(t *testing.T, s *opencallstest.Server) time.Time {
	t.Helper()
	api := s.Client("token-of-alice")
	const role = "CUSTOMER.CALL_ORGANIZER"
	grant := client.UserRoleCreateRequest{Role: role, User: aliceID}
	granted, err := api.CallManagingOrganisationsAddUserWithResponse(t.Context(), tartuID, grant)
	if err != nil || granted.JSON201 == nil {
		t.Fatalf("add_user: %v %v", granted, err)
	}
	list, err := api.CallManagingOrganisationsListUsersListWithResponse(t.Context(), tartuID, nil)
	if err != nil || list.JSON200 == nil || len(*list.JSON200) != 1 {
		t.Fatalf("list_users: %v %v", list, err)
	}
	revoke := client.UserRoleDeleteRequest{Role: role, User: aliceID}
	if _, err := api.CallManagingOrganisationsDeleteUserWithResponse(t.Context(), tartuID, revoke); err != nil {
		t.Fatal(err)
	}
	return *(*list.JSON200)[0].Created
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

// What goes wrong fails the test with a text that says what.
func TestFailures(t *testing.T) {
	start := func(t testing.TB, options ...opencallstest.Option) *opencallstest.Server {
		return opencallstest.Start(t, append(options, opencallstest.World(worldFile(t, alice+tartu)))...)
	}
	world := func(path string) func(testing.TB) {
		return func(t testing.TB) { opencallstest.Start(t, opencallstest.World(path)) }
	}
	for want, use := range map[string]func(testing.TB){
		"world.yaml:2: users[0]: unknown": world(worldFile(t, "users:\n  - {colour: red}\n")),
		"none.yaml: no such file":         world(filepath.Join(t.TempDir(), "none.yaml")),
		"from 1970 to 9999":               func(t testing.TB) { start(t).SetTime(time.Unix(-1, 0)) },
		"want a time from 1970":           func(t testing.TB) { start(t).Advance(-100 * 365 * 24 * time.Hour) },
		"a time from 1970 to":             func(t testing.TB) { start(t, opencallstest.At(time.Unix(-1, 0))) },
		`there is no operation "fly"`:     func(t testing.TB) { start(t).Fail("fly", 503, 1) },
		"418":                             func(t testing.TB) { start(t).Fail("call_managing_organisations_list", 418, 1) },
		"200":                             func(t testing.TB) { start(t).Fail("call_managing_organisations_list", 200, 1) },
	} {
		f := &failing{TB: t}
		var done sync.WaitGroup
		done.Go(func() { use(f) })
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
	t.Logf("each of %d servers takes %s to start, %s of a processor; and %d KiB", servers, took, processor, memory>>10)
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
