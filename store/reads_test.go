package store_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// lockingReads are methods of Tx alone that change nothing: they keep rows as they are.
var lockingReads = map[string]func(tx *store.Tx, a audited) error{
	"LockCustomer":     func(tx *store.Tx, a audited) error { _, err := tx.LockCustomer(a.customer.UUID); return err },
	"LockForImport":    func(tx *store.Tx, _ audited) error { return tx.LockForImport() },
	"LockOrganisation": func(tx *store.Tx, a audited) error { _, err := tx.LockOrganisation(a.organisation.UUID); return err },
	"LockOrganisationFor": func(tx *store.Tx, a audited) error {
		_, _, err := tx.LockOrganisationFor(a.organisation.UUID, a.user.UUID)
		return err
	},
}

// notReads are methods of Store that are neither reads nor changes of data.
var notReads = []string{"Close", "Migrate", "MigrateDown", "Write"}

// reads has an entry for each read of Store; those that Tx has too are the same.
var reads = map[string]func(ctx context.Context, s *store.Store, a audited) error{
	"AuditEvents": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.AuditEvents(ctx, "user", a.user.UUID.String())
		return err
	},
	"CountMembers": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.CountMembers(ctx, a.organisation.UUID, store.MemberFilter{})
		return err
	},
	"CountOrganisations": func(ctx context.Context, s *store.Store, _ audited) error {
		_, err := s.CountOrganisations(ctx, store.OrganisationFilter{})
		return err
	},
	"Customer": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.Customer(ctx, a.customer.UUID)
		return err
	},
	"Empty": func(ctx context.Context, s *store.Store, _ audited) error { _, err := s.Empty(ctx); return err },
	"Exists": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.Exists(ctx, "users", a.user.UUID)
		return err
	},
	"Export": func(ctx context.Context, s *store.Store, _ audited) error {
		return s.Export(ctx, func(store.Export) error { return nil })
	},
	"HasCalls": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.HasCalls(ctx, a.organisation.UUID)
		return err
	},
	"HasOrganisation": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.HasOrganisation(ctx, a.customer.UUID)
		return err
	},
	"HeldRoles": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.HeldRoles(ctx, a.user.UUID, a.customer.UUID, a.organisation.UUID)
		return err
	},
	"HoldsAsLong": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.HoldsAsLong(ctx, a.user.UUID, a.role.UUID, a.organisation.UUID, nil)
		return err
	},
	"Identity": func(ctx context.Context, s *store.Store, a audited) error {
		var digest string
		err := s.Export(ctx, func(e store.Export) error {
			for _, token := range e.Tokens {
				digest = token.Digest
			}
			return nil
		})
		if err == nil {
			_, err = s.Identity(ctx, digest)
		}
		return err
	},
	"Image": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.Image(ctx, *a.illustrated.ImageUUID)
		return err
	},
	"ListMembers": func(ctx context.Context, s *store.Store, a audited) error {
		_, _, err := s.ListMembers(ctx, a.organisation.UUID, store.MemberFilter{}, nil, store.Page{Number: 1, Size: 10})
		return err
	},
	"ListOrganisations": func(ctx context.Context, s *store.Store, _ audited) error {
		_, _, err := s.ListOrganisations(ctx, store.OrganisationFilter{}, nil, store.Page{Number: 1, Size: 10})
		return err
	},
	"CheckMigrated": func(ctx context.Context, s *store.Store, _ audited) error { return s.CheckMigrated(ctx) },
	"Migrations":    func(ctx context.Context, s *store.Store, _ audited) error { _, err := s.Migrations(ctx); return err },
	"Now":           func(_ context.Context, s *store.Store, _ audited) error { s.Now(); return nil },
	"Organisation": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.Organisation(ctx, a.organisation.UUID)
		return err
	},
	"OrganisationFor": func(ctx context.Context, s *store.Store, a audited) error {
		_, _, err := s.OrganisationFor(ctx, a.organisation.UUID, a.user.UUID)
		return err
	},
	"Ping": func(ctx context.Context, s *store.Store, _ audited) error { return s.Ping(ctx) },
	"Role": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.Role(ctx, a.role.Name)
		return err
	},
	"Roles": func(ctx context.Context, s *store.Store, _ audited) error { _, err := s.Roles(ctx); return err },
	"Setting": func(ctx context.Context, s *store.Store, _ audited) error {
		_, err := s.Setting(ctx, "demo")
		return err
	},
	"Stats": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.Stats(ctx, a.organisation.UUID)
		return err
	},
	"User": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.User(ctx, a.user.UUID)
		return err
	},
	"UserByName": func(ctx context.Context, s *store.Store, a audited) error {
		_, err := s.UserByName(ctx, a.user.Username)
		return err
	},
}

func TestNothingElseChangesData(t *testing.T) {
	want := slices.DeleteFunc(slices.Sorted(maps.Keys(methods[*store.Store]())), func(name string) bool { return slices.Contains(notReads, name) })
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(reads))); diff != "" {
		t.Fatalf("methods (-), reads (+):\n%s", diff)
	}
	storetest.Each(t, func(t *testing.T, engine string) {
		clock := storetest.NewClock()
		var tables storetest.SQL
		s := storetest.Open(t, engine, clock.Use, tables.Use)
		db := tables.DB(t)
		a := newAudited(t, storetest.NewWorld(t, s), clock)
		before := storetest.Dump(t, db)
		for name, read := range reads {
			if err := read(t.Context(), s, a); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, read := range lockingReads {
			if err := write(s, func(tx *store.Tx) error { return read(tx, a) }); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if diff := cmp.Diff(before, storetest.Dump(t, db)); diff != "" {
			t.Errorf("before (-), after (+):\n%s", diff)
		}
	})
}
