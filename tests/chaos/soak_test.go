//go:build soak

package chaos

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

// most is how much a median may grow from the second fifth of a soak to the last.
const most = 1.05

// long is from when on memory and latency are looked at too: both take minutes to settle.
const long = 10 * time.Minute

// The metrics that stay as they are under a steady load, with whether only a long soak looks at them.
var steady = map[string]bool{
	"go_goroutines":                 false,
	"process_open_fds":              false,
	"go_sql_open_connections":       false,
	"process_resident_memory_bytes": true,
	latency:                         true,
}

// latency is the time that a list of organisations takes, in seconds.
const latency = "latency"

// Under a steady load of all kinds of requests nothing grows: SOAK says how long the load lasts.
func TestSoak(t *testing.T) {
	duration, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil || duration < 10*time.Second { // less has no sample in each fifth
		t.Fatalf("SOAK, the time that it takes: want 10s or more: %v", err)
	}
	storetest.Each(t, func(t *testing.T, engine string) {
		flag := populate(t, storetest.URL(t, engine))
		p := programtest.Start(t, flag, "--metrics-listen=127.0.0.1:0")
		logged := regexp.MustCompile(`"serving metrics","address":"([^"]+)"`).FindStringSubmatch(p.Log.String())
		if logged == nil {
			t.Fatalf("the log names no address of metrics: %s", p.Log.String())
		}
		metrics := logged[1]
		l := newLoad()
		stop := l.run(p.Address)
		samples := map[string][]float64{}
		for end := time.Now().Add(duration); time.Now().Before(end); time.Sleep(time.Second) {
			for name, value := range scrape(t, metrics) {
				samples[name] = append(samples[name], value)
			}
			samples[latency] = append(samples[latency], readAll(t, p.Address))
			none(t, l.taken(), "a request fails", failed)
		}
		stop()
		for name, longOnly := range steady {
			values := samples[name]
			fifth := len(values) / 5
			before, after := middle(values[fifth:2*fifth]), middle(values[len(values)-fifth:])
			t.Logf("%s: %.4g, at the end %.4g", name, before, after)
			if after > before*most && (duration >= long || !longOnly) {
				t.Errorf("%s grew from %.4g to %.4g", name, before, after)
			}
		}
	})
}

// middle is the median.
func middle(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// scrape reads the steady metrics. Those of several pools are added up.
func scrape(t *testing.T, metrics string) map[string]float64 {
	t.Helper()
	answer, err := http.Get(metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	found := map[string]float64{}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		series, text, _ := strings.Cut(lines.Text(), " ")
		name, _, _ := strings.Cut(series, "{")
		if _, wanted := steady[name]; wanted {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatalf("%s: %v", lines.Text(), err)
			}
			found[name] += value
		}
	}
	for name := range steady {
		if _, there := found[name]; !there && name != latency {
			t.Fatalf("there is no metric %s", name)
		}
	}
	return found
}

// readAll sends each kind of request that reads, with a sign-in that fails and requests that are refused, and
// returns how long a list of organisations takes, in seconds.
func readAll(t *testing.T, address string) float64 {
	t.Helper()
	client := world.NewClient(address)
	defer client.HTTP.CloseIdleConnections()
	own := base + ownOrganisation(0) + "/"
	var group sync.WaitGroup
	for path, status := range map[string]int{
		base + "?customer_keyword=er+1": 200, own: 200, own + "stats/": 200, own + "list_users/": 200,
		"/api/users/": 200, "/api/users/me/": 200, "/api/users/?user_keyword=user": 200,
		"/api/customers/": 200, "/api/customers/" + spareCustomer(0) + "/": 200, "/api/roles/": 200,
		base + "?page_size=x": 400, "/api/nowhere/": 404,
	} {
		group.Go(func() {
			got := do(client, http.MethodGet, path, world.Body{}, "")
			if got.Status != status {
				t.Errorf("%s: %s", path, got)
			}
		})
	}
	group.Wait()
	wrong := fmt.Sprintf(`{"username":"user%d","password":"wrong"}`, time.Now().UnixNano())
	if got := do(client, http.MethodPost, "/api-auth/password/", world.JSON(wrong), ""); got.Status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %s", got)
	}
	list := do(client, http.MethodGet, base, world.Body{}, "")
	if list.Status != http.StatusOK {
		t.Errorf("list: %s", list)
	}
	return list.received.Sub(list.sent).Seconds()
}
