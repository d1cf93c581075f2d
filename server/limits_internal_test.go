package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// An answer of the database serves for a second all who ask. The question does not end with the client
// that asked.
func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, answer := 0, error(nil)
		check := readiness(func(ctx context.Context) error {
			asked++
			return errors.Join(answer, ctx.Err())
		}, time.Minute)
		gone, leave := context.WithCancel(t.Context())
		leave()
		if err := check(gone); err != nil {
			t.Error(err)
		}
		if answer = errors.New("gone"); check(t.Context()) != nil || asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		time.Sleep(time.Second)
		if err := check(t.Context()); !errors.Is(err, answer) || asked != 2 {
			t.Errorf("later: %v, asked %d times", err, asked)
		}
	})
}
