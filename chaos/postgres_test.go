//go:build chaos

package chaos

import (
	"strings"
	"testing"
	"time"
)

// Postgres crashes under load and comes back. Nobody restarts our server.
func TestPostgresCrash(t *testing.T) {
	c := newCluster(t)
	databaseURL := c.url("postgres")
	flag := "--database-url=" + databaseURL
	run(t, "migrate", "up", flag)
	run(t, "import", world(t), flag)
	p := serve(t, flag)
	l := newLoad()
	stop := l.run(p.address)
	time.Sleep(time.Second)
	none(t, l.taken(), "before the crash", failed)

	c.crash(t)
	down := time.Now()
	time.Sleep(2 * time.Second)
	up := time.Now()
	c.start(t)
	back := time.Now()
	time.Sleep(3 * time.Second)
	stop()
	answers := l.taken()
	none(t, answers, "an error that is no 503", func(a answer) bool { return failed(a) && !refusedForNow(a) })
	none(t, answers, "done without a database", func(a answer) bool { return a.sent.After(down) && a.received.Before(up) && !refusedForNow(a) })
	none(t, answers, "it hangs", func(a answer) bool { return a.received.Sub(a.sent) > longest })
	none(t, answers, "2 s after Postgres came back", func(a answer) bool { return a.sent.After(back.Add(2*time.Second)) && failed(a) })
	t.Logf("%d answers; the last 503 was sent %s after Postgres came back", len(answers), lastFailure(answers).Sub(back))
	if n := unavailableAnswers(answers); n < workers {
		t.Errorf("%d answers are 503: too few to show anything", n)
	}
	p.stop(t)
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
	flag := "--database-url=" + strings.Replace(primary.url("postgres"), "127.0.0.1:"+primary.port, hosts, 1) + "&target_session_attrs=read-write"
	run(t, "migrate", "up", flag)
	run(t, "import", world(t), flag)
	p := serve(t, flag)
	l := newLoad()
	stop := l.run(p.address)
	time.Sleep(time.Second)
	none(t, l.taken(), "before the primary was killed", failed)

	primary.kill(t)
	time.Sleep(time.Second)
	standby.promote(t)
	promoted := time.Now()
	time.Sleep(6 * time.Second)
	stop()
	answers := l.taken()
	none(t, answers, "an error that is no 503", func(a answer) bool { return failed(a) && !refusedForNow(a) })
	none(t, answers, "it hangs", func(a answer) bool { return a.received.Sub(a.sent) > longest })
	none(t, answers, "5 s after the promotion", func(a answer) bool { return a.sent.After(promoted.Add(5*time.Second)) && failed(a) })
	t.Logf("%d answers; the last 503 was sent %s after the promotion", len(answers), lastFailure(answers).Sub(promoted))
	p.stop(t)
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

func unavailableAnswers(answers []answer) int {
	n := 0
	for _, a := range answers {
		if a.status == 503 {
			n++
		}
	}
	return n
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
func keepsSecrets(t *testing.T, p *process, c *cluster) {
	t.Helper()
	log := p.log.String()
	for _, secret := range []string{c.password, staffToken, "postgres://"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
