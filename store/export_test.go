package store_test

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

var exportScenarios = []scenario{
	{"kinds in the order of the import file, rows by uuid, everything once", func(r *rig) {
		r.write(func(tx *store.Tx) error { importAll(r, tx, ""); return nil })
		r.populate()
		r.world.organisations(store.ImportBatch + 1)
		var kinds []string
		seen := map[string]int{}
		last := map[string]string{}
		r.ok(r.store.Export(r.ctx, func(e store.Export) error {
			part := reflect.ValueOf(e)
			for i := range part.NumField() {
				kind, rows := part.Type().Field(i).Name, part.Field(i)
				if kind == "Image" || rows.Len() == 0 {
					continue
				}
				seen[kind] += rows.Len()
				if kind == "Tokens" {
					continue
				}
				kinds = append(kinds, kind)
				if rows.Len() > store.ImportBatch {
					r.Errorf("%d %s at once", rows.Len(), kind)
				}
				for n := range rows.Len() {
					id := rows.Index(n).FieldByName("UUID").Interface().(uuid.UUID).String()
					if id <= last[kind] {
						r.Errorf("%s: %s comes after %s", kind, id, last[kind])
					}
					last[kind] = id
				}
			}
			return nil
		}))
		r.same(slices.Compact(kinds), []string{
			"Customers", "Users", "Roles", "Organisations", "UserRoles", "Calls", "Rounds", "Proposals", "Reviews", "RequestedOfferings",
		})
		for kind, table := range map[string]string{
			"Customers": "customers", "Users": "users", "Tokens": "tokens", "Roles": "roles", "Organisations": "call_managing_organisations",
			"UserRoles": "user_roles", "Calls": "calls", "Rounds": "rounds", "Proposals": "proposals", "Reviews": "reviews",
			"RequestedOfferings": "requested_offerings",
		} {
			r.same(fmt.Sprint(kind, seen[kind]), fmt.Sprint(kind, r.count(table)))
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
}
