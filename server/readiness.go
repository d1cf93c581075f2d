package server

import (
	"context"
	"time"
)

// readinessAge is how old an answer of the database may be that readyz gives on.
const readinessAge = time.Second

// readiness asks the database whether it is there, however many ask for that at once: readyz is
// under no rate limit, and must not be a way to keep the database busy.
type readiness struct {
	ping    func(context.Context) error
	now     func() time.Time
	timeout time.Duration
	turn    chan struct{} // who holds it may look at the rest
	asked   time.Time
	answer  error
}

func newReadiness(timeout time.Duration, now func() time.Time, ping func(context.Context) error) *readiness {
	return &readiness{ping: ping, now: now, timeout: timeout, turn: make(chan struct{}, 1)}
}

// check returns what the database said at most a second ago.
func (r *readiness) check(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.now().Sub(r.asked) > readinessAge {
		// It is not the caller's alone, who may leave before the answer is there.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
		defer cancel()
		r.answer = r.ping(ctx)
		r.asked = r.now()
	}
	return r.answer
}
