//go:build chaos

package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// outage is how Postgres goes away under load and comes back. Nobody restarts our server.
type outage struct {
	postgres  *cluster
	begin     func()
	lingers   bool          // connections may live a moment longer
	end       func()        // it ends while this runs
	recovered time.Duration // how long after that all is well
	longest   time.Duration // how long a request may take at most
}

// run runs the program on a database through the outage and returns what was done on it.
func (o outage) run(t *testing.T, flags ...string) *load {
	t.Helper()
	p := programtest.Start(t, flags...)
	l := newLoad()
	stop := l.run(p.Address)
	l.wait(t, 10*workers, "before the outage", done)
	none(t, l.taken(), "before the outage", failed)

	o.begin()
	down := time.Now()
	// Connections of the pool fail, and then those that are to take their place.
	l.wait(t, 4*workers, "without a database", func(a answer) bool { return a.sent.After(down) && failed(a) })
	up := time.Now()
	o.end()
	back := time.Now()
	later := func(a answer) bool { return a.sent.After(back.Add(o.recovered)) }
	l.wait(t, 10*workers, "after the outage", func(a answer) bool { return later(a) && done(a) })
	stop()
	answers := l.taken()
	none(t, answers, "an error that is no 503", func(a answer) bool { return failed(a) && !refusedForNow(a) })
	none(t, answers, "done without a database", func(a answer) bool {
		return !o.lingers && a.sent.After(down) && a.received.Before(up) && !refusedForNow(a)
	})
	none(t, answers, "it hangs", func(a answer) bool { return a.received.Sub(a.sent) > o.longest })
	none(t, answers, "after the outage", func(a answer) bool { return later(a) && failed(a) })
	slowest, last := time.Duration(0), time.Time{}
	for _, a := range answers {
		slowest = max(slowest, a.received.Sub(a.sent))
		if failed(a) && a.sent.After(last) {
			last = a.sent
		}
	}
	t.Logf("%d answers; the slowest took %s; the last 503 was sent %s after the outage", len(answers), slowest, last.Sub(back))
	p.Stop(t)
	for _, secret := range []string{o.postgres.password, staffToken} {
		if strings.Contains(p.Log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	return l
}

// longest is how long a request may take: a statement's time, a connection's, and some more.
const longest = 12 * time.Second

// Postgres crashes and comes back.
func TestPostgresCrash(t *testing.T) {
	c := newCluster(t)
	databaseURL := c.url("postgres")
	o := outage{postgres: c, begin: func() { c.crash(t) }, end: func() { c.start(t) }, recovered: 2 * time.Second, longest: longest}
	o.run(t, populate(t, databaseURL)).check(t, databaseURL)
}

// Postgres stops answering without a word, as a machine that hangs does: its system still
// acknowledges what is sent, so that it is the time of a request that ends the wait.
func TestPostgresFreeze(t *testing.T) {
	c := newCluster(t)
	databaseURL := c.url("postgres")
	const requestTimeout = 3 * time.Second
	var thaw func()
	// A request may wait its whole time to be sent, and then work for that time.
	o := outage{postgres: c, begin: func() { thaw = c.freeze(t) }, end: func() { thaw() }, recovered: 2 * time.Second, longest: 2*requestTimeout + 2*time.Second}
	o.run(t, populate(t, databaseURL), "--request-timeout="+requestTimeout.String()).check(t, databaseURL)
}

// The primary is killed, and a standby that followed it synchronously takes its place.
func TestPostgresFailover(t *testing.T) {
	primary := newCluster(t)
	standby := primary.standby(t)
	hosts := "127.0.0.1:" + primary.port + ",127.0.0.1:" + standby.port
	flag := populate(t, strings.Replace(primary.url("postgres"), "127.0.0.1:"+primary.port, hosts, 1)+"&target_session_attrs=read-write")
	o := outage{postgres: primary, begin: func() { primary.kill(t) }, lingers: true, end: func() { standby.promote(t) }, recovered: 5 * time.Second, longest: longest}
	o.run(t, flag).check(t, standby.url("postgres"))
}
