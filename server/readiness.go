package server

import (
	"context"
	"sync"
	"time"
)

// readinessAge is how long the database's last answer is good for.
const readinessAge = time.Second

// readiness asks the database whether it is there, at most once a second: /readyz has no rate limit,
// and must not be a way to keep the database busy.
type readiness struct {
	ping    func(context.Context) error
	now     func() time.Time
	timeout time.Duration

	mu     sync.Mutex
	asked  time.Time
	answer error
}

// check returns what the database said at most a second ago.
func (r *readiness) check(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now().Sub(r.asked) > readinessAge {
		// Others wait for this answer too, so it doesn't end with this client's connection.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
		defer cancel()
		r.answer = r.ping(ctx)
		r.asked = r.now()
	}
	return r.answer
}
