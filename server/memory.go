package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"
)

// bodyWait is how long a body waits for room.
const bodyWait = 10 * time.Second

// errNoRoom says that there is no memory for a request's body.
var errNoRoom = errors.New("no memory for the request's body")

// bodyMemory bounds how many bytes of request bodies are held at once. One user has at most a
// quarter of them, so that slow uploads of one user don't keep others out.
type bodyMemory struct {
	wait  time.Duration
	share int64 // of one user, in bytes
	total *semaphore.Weighted

	mu    sync.Mutex
	users map[uuid.UUID]*userShare
}

// userShare is what one user's bodies take.
type userShare struct {
	*semaphore.Weighted
	requests int // that hold or wait for some of it
}

func newBodyMemory(size int64, wait time.Duration) *bodyMemory {
	return &bodyMemory{wait: wait, share: size / 4, total: semaphore.NewWeighted(size), users: map[uuid.UUID]*userShare{}}
}

// reserve waits until there is room for a body of a user, which is the user's until release is
// called. Its error is errNoRoom or the context's.
func (m *bodyMemory) reserve(ctx context.Context, user uuid.UUID, size int64) (release func(), err error) {
	if size == 0 {
		return func() {}, nil
	}
	own := m.enter(user)
	waiting, cancel := context.WithTimeout(ctx, m.wait)
	defer cancel()
	if own.Acquire(waiting, size) != nil {
		m.leave(user)
		return nil, m.refusal(ctx, "of one user ")
	}
	if m.total.Acquire(waiting, size) != nil {
		own.Release(size)
		m.leave(user)
		return nil, m.refusal(ctx, "")
	}
	return func() {
		m.total.Release(size)
		own.Release(size)
		m.leave(user)
	}, nil
}

// refusal is the error of a body that found no room.
func (m *bodyMemory) refusal(ctx context.Context, whose string) error {
	if ctx.Err() != nil {
		return ctx.Err() // the client is gone
	}
	return fmt.Errorf("%w: bodies %sheld all of it for %s", errNoRoom, whose, m.wait)
}

// enter returns the user's share and counts the request among those that use it.
func (m *bodyMemory) enter(user uuid.UUID) *userShare {
	m.mu.Lock()
	defer m.mu.Unlock()
	own := m.users[user]
	if own == nil {
		own = &userShare{Weighted: semaphore.NewWeighted(m.share)}
		m.users[user] = own
	}
	own.requests++
	return own
}

// leave ends what enter began. A user without requests is forgotten.
func (m *bodyMemory) leave(user uuid.UUID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	own := m.users[user]
	if own.requests--; own.requests == 0 {
		delete(m.users, user)
	}
}
