package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// On Postgres changes that don't end leave reads connections of their own; a change that waits for
// its turn too long, or whose caller leaves, does not begin.
func TestPostgresWritersLeaveRoomForReads(t *testing.T) {
	for _, engine := range storetest.Engines() {
		if engine != storetest.Postgres {
			continue // on SQLite reads have a pool of their own
		}
		s := storetest.Open(t, engine, storetest.StatementTimeout(time.Second))
		const most = 12
		began, finish, ended := make(chan struct{}), make(chan struct{}), make(chan error)
		for range most {
			go func() {
				ended <- write(s, func(tx *store.Tx) error {
					began <- struct{}{}
					<-finish
					return addUser(tx)
				})
			}()
		}
		for range most {
			<-began
		}
		ctx, leave := context.WithCancel(t.Context())
		go func() { leave() }()
		if err := s.Write(ctx, store.Actor{}, addUser); !errors.Is(err, context.Canceled) {
			t.Errorf("a change whose caller leaves: %v", err)
		}
		unavailable(t, write(s, addUser))
		for range 2 * most {
			if _, err := s.Empty(t.Context()); err != nil {
				t.Errorf("a read: %v", err)
			}
		}
		close(finish)
		for range most {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if err := write(s, addUser); err != nil {
			t.Errorf("a change after them: %v", err)
		}
	}
}
