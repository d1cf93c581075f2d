//go:build chaos

package chaos

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// Postgres stops answering without a word, as a machine that hangs does: its system still
// acknowledges what is sent, so that it is the time of a request that ends the wait.
func TestPostgresFreeze(t *testing.T) {
	c := newCluster(t)
	databaseURL := c.url("postgres")
	flag := populate(t, databaseURL)
	const requestTimeout = 3 * time.Second
	p := programtest.Start(t, flag, "--request-timeout="+requestTimeout.String())
	l := newLoad()
	stop := l.run(p.Address)
	l.wait(t, 10*workers, "before the freeze", done)
	none(t, l.taken(), "before the freeze", failed)

	thaw := c.freeze(t)
	frozen := time.Now()
	// Connections of the pool, and then those that are to take their place.
	l.wait(t, 4*workers, "without an answer of the database", func(a answer) bool { return a.sent.After(frozen) && failed(a) })
	up := time.Now()
	thaw()
	thawed := time.Now()
	later := func(a answer) bool { return a.sent.After(thawed.Add(2 * time.Second)) }
	l.wait(t, 10*workers, "2 s after the thaw", func(a answer) bool { return later(a) && done(a) })
	stop()
	answers := l.taken()
	none(t, answers, "an error that is no 503", func(a answer) bool { return failed(a) && !refusedForNow(a) })
	none(t, answers, "done without a database", func(a answer) bool { return a.sent.After(frozen) && a.received.Before(up) && !refusedForNow(a) })
	// Who sends it may take its whole time, and then the work again.
	const most = 2*requestTimeout + 2*time.Second
	none(t, answers, "it hangs", func(a answer) bool { return a.received.Sub(a.sent) > most })
	none(t, answers, "2 s after the thaw", func(a answer) bool { return later(a) && failed(a) })
	t.Logf("%d answers; the longest took %s; the last 503 was sent %s after the thaw", len(answers), slowest(answers), lastFailure(answers).Sub(thawed))
	p.Stop(t)
	keepsSecrets(t, p, c)
	db := open(t, databaseURL)
	consistent(t, databaseURL, db)
	l.check(t, db)
}

// slowest is how long the answer that took longest took.
func slowest(answers []answer) time.Duration {
	var longest time.Duration
	for _, a := range answers {
		longest = max(longest, a.received.Sub(a.sent))
	}
	return longest
}

// freeze stops every process of the server where it is, until the returned function is called.
func (c *cluster) freeze(t *testing.T) (thaw func()) {
	t.Helper()
	server := c.pid(t)
	send := func(s syscall.Signal, pids ...int) {
		for _, pid := range pids {
			if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Error(err)
			}
		}
	}
	send(syscall.SIGSTOP, server) // which makes the others
	others := children(t, server)
	send(syscall.SIGSTOP, others...)
	thaw = sync.OnceFunc(func() { send(syscall.SIGCONT, append(others, server)...) })
	t.Cleanup(thaw)
	return thaw
}

// children are the processes that a process has started.
func children(t *testing.T, parent int) []int {
	t.Helper()
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for text := range strings.FieldsSeq(string(list)) {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}
