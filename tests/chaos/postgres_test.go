//go:build chaos

package chaos

import (
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// Postgres crashes under load and comes back. Nobody restarts our server.
func TestPostgresCrash(t *testing.T) {
	c := newCluster(t)
	databaseURL := c.url("postgres")
	flag := populate(t, databaseURL)
	p := programtest.Start(t, flag)
	l := newLoad()
	stop := l.run(p.Address)
	l.wait(t, 10*workers, "before the crash", done)
	none(t, l.taken(), "before the crash", failed)

	c.crash(t)
	down := time.Now()
	l.wait(t, 10*workers, "without a database", func(a answer) bool { return a.sent.After(down) && failed(a) })
	up := time.Now()
	c.start(t)
	back := time.Now()
	later := func(a answer) bool { return a.sent.After(back.Add(2 * time.Second)) }
	l.wait(t, 10*workers, "2 s after Postgres came back", func(a answer) bool { return later(a) && done(a) })
	stop()
	answers := l.taken()
	none(t, answers, "an error that is no 503", func(a answer) bool { return failed(a) && !refusedForNow(a) })
	none(t, answers, "done without a database", func(a answer) bool { return a.sent.After(down) && a.received.Before(up) && !refusedForNow(a) })
	none(t, answers, "it hangs", func(a answer) bool { return a.received.Sub(a.sent) > longest })
	none(t, answers, "2 s after Postgres came back", func(a answer) bool { return later(a) && failed(a) })
	t.Logf("%d answers; the last 503 was sent %s after Postgres came back", len(answers), lastFailure(answers).Sub(back))
	p.Stop(t)
	keepsSecrets(t, p, c)
	db := open(t, databaseURL)
	consistent(t, databaseURL, db)
	l.check(t, db)
}

// The primary is killed under load, and a standby that followed it synchronously takes its place.
func TestPostgresFailover(t *testing.T) {
	primary := newCluster(t)
	standby := primary.standby(t)
	hosts := "127.0.0.1:" + primary.port + ",127.0.0.1:" + standby.port
	flag := populate(t, strings.Replace(primary.url("postgres"), "127.0.0.1:"+primary.port, hosts, 1)+"&target_session_attrs=read-write")
	p := programtest.Start(t, flag)
	l := newLoad()
	stop := l.run(p.Address)
	l.wait(t, 10*workers, "before the primary was killed", done)
	none(t, l.taken(), "before the primary was killed", failed)

	primary.kill(t)
	killed := time.Now()
	l.wait(t, 10*workers, "without a primary", func(a answer) bool { return a.sent.After(killed) && failed(a) })
	standby.promote(t)
	promoted := time.Now()
	later := func(a answer) bool { return a.sent.After(promoted.Add(5 * time.Second)) }
	l.wait(t, 10*workers, "5 s after the promotion", func(a answer) bool { return later(a) && done(a) })
	stop()
	answers := l.taken()
	none(t, answers, "an error that is no 503", func(a answer) bool { return failed(a) && !refusedForNow(a) })
	none(t, answers, "it hangs", func(a answer) bool { return a.received.Sub(a.sent) > longest })
	none(t, answers, "5 s after the promotion", func(a answer) bool { return later(a) && failed(a) })
	t.Logf("%d answers; the last 503 was sent %s after the promotion", len(answers), lastFailure(answers).Sub(promoted))
	p.Stop(t)
	keepsSecrets(t, p, primary)
	db := open(t, standby.url("postgres"))
	consistent(t, standby.url("postgres"), db)
	l.check(t, db)
}

// longest is how long a request may take: a statement's time, a connection's, and some more.
const longest = 12 * time.Second

// failed says that a request was neither done nor refused for good.
func failed(a answer) bool { return a.status == 0 || a.status >= 500 }

// refusedForNow says that the client was asked to come again, in the way that it can tell.
func refusedForNow(a answer) bool {
	return a.status == 503 && a.retryAfter == "1" && a.body == unavailable
}

// lastFailure is when the last request that failed was sent.
func lastFailure(answers []answer) time.Time {
	var last time.Time
	for _, a := range answers {
		if failed(a) && a.sent.After(last) {
			last = a.sent
		}
	}
	return last
}

// keepsSecrets looks for what a log must not hold, after the database has failed in every way.
func keepsSecrets(t *testing.T, p *programtest.Server, c *cluster) {
	t.Helper()
	log := p.Log.String()
	for _, secret := range []string{c.password, staffToken, "postgres://"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
