package server

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/opencalls/opencalls/handlers"
)

// RateLimit is how many requests are taken from one client, in this process alone: of several
// replicas each takes as many.
type RateLimit struct {
	PerSecond float64 // 0 is no limit
	Burst     int     // how many at once after a pause; at least 1
}

// maxLimiters bounds how many clients are known at once, twice: some megabytes.
const maxLimiters = 50_000

// limiters hold a token bucket for each client that was here lately.
type limiters[K comparable] struct {
	limit RateLimit
	now   func() time.Time

	mu              sync.Mutex
	recent, earlier map[K]*rate.Limiter
	since           time.Time // when recent was begun
}

// newLimiters returns nil where there is no limit.
func newLimiters[K comparable](limit RateLimit, now func() time.Time) *limiters[K] {
	if limit.PerSecond <= 0 {
		return nil
	}
	return &limiters[K]{limit: limit, now: now, recent: map[K]*rate.Limiter{}}
}

// take counts a client's request, or refuses it with a 429 that says when to try again.
func (l *limiters[K]) take(client K) error {
	if l == nil {
		return nil
	}
	now := l.now()
	bucket := l.of(client, now)
	if bucket.AllowN(now, 1) {
		return nil
	}
	// No reservation that is then cancelled: where several overlap, it is not given back.
	wait := max(time.Duration((1-bucket.TokensAt(now))/l.limit.PerSecond*float64(time.Second)), time.Nanosecond)
	return &handlers.Problem{Status: http.StatusTooManyRequests, Detail: "Request was throttled.", RetryAfter: wait}
}

// of finds a client's bucket. A bucket that was not used for as long as it takes to fill is as
// good as a new one and is forgotten; so are older ones where there are too many.
func (l *limiters[K]) of(client K, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	full := time.Duration(float64(l.limit.Burst) / l.limit.PerSecond * float64(time.Second))
	if now.Sub(l.since) > full || len(l.recent) >= maxLimiters {
		l.earlier, l.recent, l.since = l.recent, map[K]*rate.Limiter{}, now
	}
	bucket, known := l.recent[client]
	if !known {
		if bucket, known = l.earlier[client]; !known {
			bucket = rate.NewLimiter(rate.Limit(l.limit.PerSecond), l.limit.Burst)
		}
		l.recent[client] = bucket
	}
	return bucket
}

// throttleAddresses refuses who sends too much, before anything is done for it. Health checks are
// no client's: a load balancer that is refused would take the server for a dead one.
func throttleAddresses(cfg Config) echo.MiddlewareFunc {
	addresses := newLimiters[netip.Prefix](cfg.RateLimitAddress, cfg.Now)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if addresses == nil {
			return next
		}
		return func(c echo.Context) error {
			if !isHealthCheck(c.Request()) {
				if err := addresses.take(networkOf(addressOf(c.Request().RemoteAddr))); err != nil {
					return err
				}
			}
			return next(c)
		}
	}
}

// networkOf is what one client has: an address of IPv4, or a network of 64 bits of IPv6, in which
// a client chooses its addresses.
func networkOf(address netip.Addr) netip.Prefix {
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	network, _ := address.WithZone("").Prefix(bits) // of no address: none
	return network
}
