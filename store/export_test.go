package store_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

var exportScenarios = []scenario{
	{"kinds in the order of the import file, rows by uuid, everything once", func(r *rig) {
		r.write(func(tx *store.Tx) error { importAll(r, tx, ""); return nil })
		r.populate()
		r.world.organisations(store.ImportBatch + 1)
		var kinds []string
		seen := map[string]int{}
		last := map[string]string{}
		visit := func(kind string, ids []uuid.UUID) {
			if len(ids) == 0 {
				return
			}
			if len(ids) > store.ImportBatch {
				r.Errorf("%d %s at once", len(ids), kind)
			}
			kinds = append(kinds, kind)
			for _, id := range ids {
				if id.String() <= last[kind] {
					r.Errorf("%s: %s comes after %s", kind, id, last[kind])
				}
				last[kind] = id.String()
				seen[kind]++
			}
		}
		r.ok(r.store.Export(r.ctx, func(e store.Export) error {
			visit("customers", ids(e.Customers, func(x store.Customer) uuid.UUID { return x.UUID }))
			visit("users", ids(e.Users, func(x store.User) uuid.UUID { return x.UUID }))
			visit("roles", ids(e.Roles, func(x store.Role) uuid.UUID { return x.UUID }))
			visit("call_managing_organisations", ids(e.Organisations, func(x store.CallManagingOrganisation) uuid.UUID { return x.UUID }))
			visit("user_roles", ids(e.UserRoles, func(x store.UserRole) uuid.UUID { return x.UUID }))
			visit("calls", ids(e.Calls, func(x store.Call) uuid.UUID { return x.UUID }))
			visit("rounds", ids(e.Rounds, func(x store.Round) uuid.UUID { return x.UUID }))
			visit("proposals", ids(e.Proposals, func(x store.Proposal) uuid.UUID { return x.UUID }))
			visit("reviews", ids(e.Reviews, func(x store.Review) uuid.UUID { return x.UUID }))
			visit("requested_offerings", ids(e.RequestedOfferings, func(x store.RequestedOffering) uuid.UUID { return x.UUID }))
			seen["tokens"] += len(e.Tokens)
			for _, role := range e.Roles {
				seen["role_permissions"] += len(role.Permissions)
			}
			return nil
		}))
		r.same(slices.Compact(kinds), []string{
			"customers", "users", "roles", "call_managing_organisations", "user_roles", "calls", "rounds", "proposals", "reviews", "requested_offerings",
		})
		for _, table := range storetest.Tables {
			if !slices.Contains([]string{"images", "audit_events", "settings", "counters"}, table) {
				r.same(fmt.Sprint(table, seen[table]), fmt.Sprint(table, r.count(table)))
			}
		}
	}},

	{"an export imported elsewhere is the same", func(r *rig) {
		r.write(func(tx *store.Tx) error { importAll(r, tx, ""); return nil })
		p := r.populate()
		r.world.grant(p.user, p.role, p.organisation, func(g *store.UserRole) { g.Revoked = ptr(r.clock.Now()) })
		before := r.dump()
		// Into itself, as if it were another: nothing differs, so nothing changes.
		var parts []store.Export
		var images [][]byte
		r.ok(r.store.Export(r.ctx, func(e store.Export) error {
			for _, c := range e.Customers {
				if c.ImageUUID != nil {
					image := must(e.Image(*c.ImageUUID))
					images = append(images, image.Bytes)
				}
			}
			parts = append(parts, e)
			return nil
		}))
		r.same(images, [][]byte{[]byte("customer")})
		r.clock.Advance(time.Second)
		r.write(func(tx *store.Tx) error {
			for _, e := range parts {
				r.ok(tx.ImportCustomers(e.Customers))
				r.ok(tx.ImportUsers(e.Users))
				r.ok(tx.ImportTokens(e.Tokens))
				r.ok(tx.ImportRoles(e.Roles))
				r.ok(tx.ImportOrganisations(e.Organisations))
				r.ok(tx.ImportUserRoles(e.UserRoles))
				r.ok(tx.ImportCalls(e.Calls))
				r.ok(tx.ImportRounds(e.Rounds))
				r.ok(tx.ImportProposals(e.Proposals))
				r.ok(tx.ImportReviews(e.Reviews))
				r.ok(tx.ImportRequestedOfferings(e.RequestedOfferings))
			}
			return nil
		})
		r.same(r.dump(), before)
	}},

	{"of one state, whatever is written meanwhile", func(r *rig) {
		all := r.world.organisations(3)
		var organisations int
		r.ok(r.store.Export(r.ctx, func(e store.Export) error {
			if len(e.Customers) > 0 { // the organisations come later
				r.write(remove(all[0].UUID))
			}
			organisations += len(e.Organisations)
			return nil
		}))
		r.same(organisations, 3)
		r.same(r.count("call_managing_organisations"), 2)
	}},

	{"an error of the visitor ends it", func(r *rig) {
		r.populate()
		want := errors.New("full")
		calls := 0
		err := r.store.Export(r.ctx, func(store.Export) error {
			calls++
			return want
		})
		r.is(err, want)
		r.same(calls, 1)
	}},
}

func ids[T any](rows []T, id func(T) uuid.UUID) []uuid.UUID {
	list := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		list[i] = id(row)
	}
	return list
}
