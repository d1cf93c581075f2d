package server

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/opencalls/opencalls/handlers"
)

// RateLimit is how many requests a client may send to this process. Each replica counts for itself.
type RateLimit struct {
	PerSecond float64 // 0 is no limit
	Burst     int     // how many at once after a pause; at least 1
}

// maxLimiters bounds how many buckets each generation holds, which is some megabytes.
const maxLimiters = 50_000

// limiters hold a token bucket for each client, in two generations: a bucket that is used moves to
// the recent one, and what is left in the earlier one is forgotten.
type limiters[K comparable] struct {
	limit   RateLimit
	now     func() time.Time
	refused prometheus.Counter

	mu              sync.Mutex
	recent, earlier map[K]*rate.Limiter
	since           time.Time // when the recent generation began
}

func newLimiters[K comparable](limit RateLimit, now func() time.Time, refused prometheus.Counter) *limiters[K] {
	return &limiters[K]{limit: limit, now: now, refused: refused, recent: map[K]*rate.Limiter{}}
}

// allow counts a client's request, or refuses it with a 429 that says when to try again.
func (l *limiters[K]) allow(client K) error {
	if l.limit.PerSecond <= 0 {
		return nil
	}
	now := l.now()
	bucket := l.bucket(client, now)
	if bucket.AllowN(now, 1) {
		return nil
	}
	l.refused.Inc()
	// Not by a reservation: several that overlap don't give back everything when they are cancelled.
	wait := max(time.Duration((1-bucket.TokensAt(now))/l.limit.PerSecond*float64(time.Second)), time.Nanosecond)
	return &handlers.Problem{Status: http.StatusTooManyRequests, Detail: "Request was throttled.", RetryAfter: wait}
}

// bucket finds a client's bucket. A bucket that is not used for as long as it takes to fill is as good
// as a new one.
func (l *limiters[K]) bucket(client K, now time.Time) *rate.Limiter {
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

// limitAddresses applies the rate limit of addresses. It leaves out health checks, or a load balancer
// would take the server for a dead one.
func limitAddresses(cfg Config, refused prometheus.Counter) func(echo.Context) error {
	addresses := newLimiters[netip.Prefix](cfg.RateLimitAddress, cfg.Now, refused)
	return func(c echo.Context) error {
		if isHealthCheck(c.Request()) {
			return nil
		}
		return addresses.allow(networkOf(c))
	}
}

// networkOf returns whose request it is. IPv6 clients are grouped by /64, since a client can choose any address in
// its /64.
func networkOf(c echo.Context) netip.Prefix {
	address, _ := netip.ParseAddr(c.RealIP())
	address = address.Unmap().WithZone("")
	network, _ := address.Prefix(min(address.BitLen(), 64))
	return network
}
