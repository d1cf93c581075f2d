package server_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store/storetest"
)

// More requests with a token, or from an address, than there may be are 429, whatever the
// operation, and say when to try again.
func TestEveryOperationIsThrottled(t *testing.T) {
	for name, limit := range map[string]func(*server.Config){
		"token":   func(c *server.Config) { c.RateLimitToken = server.RateLimit{PerSecond: 0.4, Burst: 2} },
		"address": func(c *server.Config) { c.RateLimitAddress = server.RateLimit{PerSecond: 0.4, Burst: 2} },
	} {
		t.Run(name, func(t *testing.T) {
			stage := newStage(t, storetest.SQLite, func(s *setup) { limit(&s.server) })
			for _, op := range operations {
				t.Run(op.OperationID, func(t *testing.T) {
					stage.clock.Advance(time.Hour)
					for range 2 {
						stage.send(t, request{Method: "GET", Target: base, Token: "token-of-sam"})
					}
					stage.log.take()
					s := op.example()
					s.status, s.want, s.headers = 429, `{"detail":"Request was throttled."}`, map[string]string{"Retry-After": "3"}
					stage.play(t, s)
				})
			}
		})
	}
}

// One client's limit is no other's, and comes back with time. Health checks have none.
func TestThrottledClients(t *testing.T) {
	stage := newStage(t, storetest.SQLite, func(s *setup) {
		s.plain = true
		s.server.RateLimitToken = server.RateLimit{PerSecond: 1, Burst: 3}
		s.server.RateLimitAddress = server.RateLimit{PerSecond: 1, Burst: 5}
		s.server.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	expect := func(status int, target, token, address string) {
		t.Helper()
		r := request{Method: "GET", Target: target, Token: token, Header: http.Header{"X-Forwarded-For": {address}}}
		if got := stage.send(t, r); got.Status != status {
			t.Errorf("%s with %q from %s: status %d, want %d", target, token, address, got.Status, status)
		}
	}
	for range 3 {
		expect(200, base, "token-of-sam", "192.0.2.1")
	}
	expect(429, base, "token-of-sam", "192.0.2.1")
	expect(429, base, "token-of-sam", "192.0.2.2") // another address, the same token
	expect(200, base, "token-of-bob", "192.0.2.1") // another token, the address's fifth
	expect(429, base, "token-of-sue", "192.0.2.1")
	expect(429, "/nothing", "", "192.0.2.1")
	expect(200, "/healthz", "", "192.0.2.1")
	expect(200, "/readyz", "", "192.0.2.1")
	expect(404, "/nothing", "", "192.0.2.3")
	for i := range 5 {
		expect(404, "/nothing", "", fmt.Sprintf("2001:db8::%d", i)) // all one client's
	}
	expect(429, "/nothing", "", "2001:db8::ffff")
	expect(404, "/nothing", "", "2001:db8:0:1::")
	stage.clock.Advance(time.Second)
	expect(200, base, "token-of-sam", "192.0.2.1")
	expect(429, base, "token-of-sam", "192.0.2.1")
	for range 5 { // longer than it takes to fill: nothing is known of them any more
		stage.clock.Advance(time.Minute)
		expect(200, base, "token-of-sam", "192.0.2.1")
	}
}
