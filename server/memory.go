package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// bodyWait is how long a body waits for room.
const bodyWait = 10 * time.Second

// errNoRoom says that there was no memory for a request's body in time.
var errNoRoom = errors.New("no memory for the request's body: other bodies, or the user's own, held all of it")

// bodyMemory bounds how many bytes of request bodies are held at once. One user has at most a
// quarter of them, so that slow uploads of one user don't keep others out.
type bodyMemory struct {
	size int64
	wait time.Duration

	mu    sync.Mutex
	held  int64
	users map[uuid.UUID]int64 // what the bodies of each user hold
	freed chan struct{}       // closed when some memory becomes free
}

func newBodyMemory(size int64, wait time.Duration) *bodyMemory {
	return &bodyMemory{size: size, wait: wait, users: map[uuid.UUID]int64{}, freed: make(chan struct{})}
}

// show registers how much of the memory there is and is held, unless the registerer is nil.
func (m *bodyMemory) show(registerer prometheus.Registerer) {
	factory := promauto.With(registerer)
	factory.NewGauge(prometheus.GaugeOpts{
		Name: "opencalls_body_memory_limit_bytes",
		Help: "Memory for the bodies of all requests at once.",
	}).Set(float64(m.size))
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "opencalls_body_memory_reserved_bytes",
		Help: "Memory that the bodies of requests hold.",
	}, func() float64 {
		m.mu.Lock()
		defer m.mu.Unlock()
		return float64(m.held)
	})
}

// reserve waits until there is room for a body of a user, which is the user's until release is
// called. Its error is errNoRoom or the context's.
func (m *bodyMemory) reserve(ctx context.Context, user uuid.UUID, size int64) (release func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, m.wait, errNoRoom)
	defer cancel()
	for {
		taken, freed := m.take(user, size)
		if taken {
			return func() { m.take(user, -size) }, nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// take takes memory, or gives it back where size is negative. Where there is no room, it returns a
// channel that is closed once there may be some.
func (m *bodyMemory) take(user uuid.UUID, size int64) (taken bool, freed <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if size > 0 && (m.held+size > m.size || m.users[user]+size > m.size/4) {
		return false, m.freed
	}
	m.held += size
	if m.users[user] += size; m.users[user] == 0 {
		delete(m.users, user)
	}
	if size < 0 {
		close(m.freed)
		m.freed = make(chan struct{})
	}
	return true, nil
}
