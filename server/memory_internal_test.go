package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
)

// One user gets a quarter of the memory, others the rest; what finds no room waits for it.
func TestBodyMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quarter = 25
		m := newBodyMemory(4*quarter, 10*time.Second)
		one := uuid.New()
		take := func(user uuid.UUID, size int64) func() {
			t.Helper()
			release, err := m.reserve(t.Context(), user, size)
			if err != nil {
				t.Fatal(err)
			}
			return release
		}
		refuse := func(user uuid.UUID) {
			t.Helper()
			began := time.Now()
			if _, err := m.reserve(t.Context(), user, 1); !errors.Is(err, errNoRoom) || time.Since(began) != 10*time.Second {
				t.Errorf("got %v after %s", err, time.Since(began))
			}
		}
		releases := []func(){take(one, quarter-1), take(one, 1)}
		refuse(one)
		for range 3 {
			releases = append(releases, take(uuid.New(), quarter))
		}
		refuse(uuid.New())
		take(one, 0)()

		gone, leave := context.WithCancel(t.Context())
		leave()
		for _, user := range []uuid.UUID{one, uuid.New()} {
			if _, err := m.reserve(gone, user, 1); !errors.Is(err, context.Canceled) {
				t.Errorf("a client that is gone: %v", err)
			}
		}

		go func() {
			time.Sleep(time.Second)
			releases[1]()
		}()
		began := time.Now()
		releases[1] = take(one, 1)
		if time.Since(began) != time.Second {
			t.Errorf("waited %s", time.Since(began))
		}
		for _, release := range releases {
			release()
		}
		if len(m.users) != 0 || !m.total.TryAcquire(4*quarter) {
			t.Errorf("%d users hold memory after all", len(m.users))
		}
	})
}
