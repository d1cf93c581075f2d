package store_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// database/sql takes a transaction back as soon as its context ends, and then calls the commit
// one of a transaction that is done: the caller is told of the context all the same.
func TestContextEndsBeforeTheCommit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		var statements storetest.Statements
		s := storetest.Open(t, engine, statements.Use)
		rolledBack := func() {
			for !slices.Contains(statements.All(), "ROLLBACK") {
				runtime.Gosched()
			}
			statements.Reset()
		}
		ctx, cancel := context.WithCancel(t.Context())
		statements.Reset()
		err := s.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
			err := addUser(tx)
			cancel()
			rolledBack()
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a change: %v", err)
		}
		empty, err := s.Empty(t.Context())
		if err != nil || !empty {
			t.Errorf("something is left (%v)", err)
		}

		if err := write(s, addUser); err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		defer cancel()
		statements.Reset()
		err = s.Export(ctx, func(e store.Export) error {
			if len(e.Roles) > 0 {
				cancel()
				rolledBack()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a read: %v", err)
		}
	})
}

// A statement that waits for a lock ends with its context.
func TestContextEndsWhileWaiting(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		var statements storetest.Statements
		s := storetest.Open(t, engine, statements.Use)
		o := storetest.NewWorld(t, s).Organisations(1)[0]
		err := write(s, func(tx *store.Tx) error {
			if _, err := tx.LockOrganisation(o.UUID); err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			statements.Reset()
			go func() {
				done <- s.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
					_, err := tx.LockOrganisation(o.UUID)
					return err
				})
			}()
			// On SQLite it waits for the only writer, on Postgres for the row.
			for engine == storetest.Postgres && !slices.Contains(statements.All(), "BEGIN") {
				runtime.Gosched()
			}
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v", err)
			}
			_, err := tx.LockOrganisation(o.UUID)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
