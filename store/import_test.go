package store_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// importedID is the id of the nth kind's row of importAll.
func importedID(n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("c0000000-0000-4000-8000-%012x", n))
}

// importAll writes one row of each kind, as given or as a second file says it.
func importAll(r *rig, tx *store.Tx, suffix string) {
	r.Helper()
	id := importedID
	organisation := id(4)
	start := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(len(suffix)) * time.Hour)
	state := func(first, second string) string {
		if suffix == "" {
			return first
		}
		return second
	}
	created := start.AddDate(-1, 0, 0)
	permissions := []string{"B", "A"}
	if suffix != "" {
		permissions = []string{"C", "D", "A", "A"}
	}
	r.ok(tx.Import([]store.Customer{{UUID: id(1), Name: "Customer" + suffix, Abbreviation: "C" + suffix, NativeName: "N" + suffix, Country: "EE", Blocked: suffix != "", Created: created}}))
	r.ok(tx.Import([]store.User{{UUID: id(2), Username: "user" + suffix, FullName: "User" + suffix, IsActive: suffix == "", Created: created}}))
	r.ok(tx.Import([]store.Token{{Digest: store.Digest("x"), UserUUID: id(2), Expires: ptr(start), Created: created}}))
	r.ok(tx.Import([]store.Role{{UUID: id(3), Name: "ROLE" + suffix, Scope: store.ScopeOrganisation, Description: suffix, IsActive: suffix == "", Permissions: permissions}}))
	r.ok(tx.Import([]store.CallManagingOrganisation{{UUID: organisation, CustomerUUID: id(1), Description: "Organisation" + suffix, Created: created}}))
	r.ok(tx.Import([]store.UserRole{{UUID: id(5), UserUUID: id(2), RoleUUID: id(3), OrganisationUUID: &organisation, ExpirationTime: ptr(start), Created: created}}))
	r.ok(tx.Import([]store.Call{{UUID: id(6), OrganisationUUID: organisation, Name: "Call" + suffix, Slug: "call" + suffix, Description: suffix, State: state("draft", "active"), Created: created}}))
	r.ok(tx.Import([]store.Round{{UUID: id(7), CallUUID: id(6), Name: "Round" + suffix, StartTime: start, CutoffTime: start.Add(time.Hour)}}))
	r.ok(tx.Import([]store.Proposal{{UUID: id(8), RoundUUID: id(7), Name: "Proposal" + suffix, State: state("draft", "accepted")}}))
	r.ok(tx.Import([]store.Review{{UUID: id(9), ProposalUUID: id(8), ReviewerUUID: id(2), State: state("created", "submitted")}}))
	r.ok(tx.Import([]store.RequestedOffering{{UUID: id(10), CallUUID: id(6), Offering: "Offering" + suffix, State: state("requested", "canceled")}}))
	r.ok(tx.ImportImage("customers", id(1), storetest.Picture("customer"+suffix)))
	r.ok(tx.ImportImage("users", id(2), storetest.Picture("user"+suffix)))
	r.ok(tx.ImportImage("call_managing_organisations", organisation, storetest.Picture("organisation"+suffix)))
}

var importScenarios = []scenario{
	{"the same twice changes nothing and leaves no event", func(r *rig) {
		r.write(func(tx *store.Tx) error { importAll(r, tx, ""); return nil })
		before := r.dump()
		r.clock.Advance(time.Hour)
		r.write(func(tx *store.Tx) error { importAll(r, tx, ""); return nil })
		r.same(r.dump(), before)
	}},

	{"another state of the same takes its place, wherever it came from", func(r *rig) {
		r.write(func(tx *store.Tx) error { importAll(r, tx, ""); return nil })
		first := r.dump()
		r.write(func(tx *store.Tx) error { importAll(r, tx, "2"); return nil })
		second := r.dump()
		r.write(func(tx *store.Tx) error { importAll(r, tx, ""); return nil })
		third := r.dump()
		for _, table := range storetest.Tables {
			switch table {
			case "audit_events": // each of the fourteen steps leaves one, that of a role another for its permissions
				r.same(len(second[table]), len(first[table])*2)
				r.same(len(third[table]), len(first[table])*3)
			case "images": // as many, of other ids
				r.same([]int{len(second[table]), len(third[table])}, []int{3, 3})
			case "customers", "users", "call_managing_organisations": // they name their image
				r.same([]int{len(second[table]), len(third[table])}, []int{len(first[table]), len(first[table])})
			case "settings", "counters":
				r.same(second[table], first[table])
			default:
				if fmt.Sprint(second[table]) == fmt.Sprint(first[table]) {
					r.Errorf("%s did not change", table)
				}
				r.same(third[table], first[table])
			}
		}
	}},

	{"roles take exactly the permissions given", func(r *rig) {
		role := store.Role{UUID: r.world.id(), Name: "R", Scope: store.ScopeOrganisation}
		for _, c := range []struct{ given, want []string }{
			{[]string{"A"}, []string{"A"}},
			{[]string{"B"}, []string{"B"}},
			{[]string{"B", "A", "C", "A"}, []string{"A", "B", "C"}},
			{[]string{"C", "B", "A"}, []string{"A", "B", "C"}},
			{nil, nil},
			{[]string{"A", "B"}, []string{"A", "B"}},
		} {
			role.Permissions = c.given
			r.write(func(tx *store.Tx) error { return tx.Import([]store.Role{role}) })
			r.same(fmt.Sprint(r.world.role("R").Permissions), fmt.Sprint(c.want))
		}
	}},

	{"an import finds grants by user, role and scope", func(r *rig) {
		p := r.populate()
		bob := r.world.user("bob")
		find := func(g store.UserRole) uuid.UUID {
			var id uuid.UUID
			r.write(func(tx *store.Tx) error { id = must(tx.FindGrant(g)); return nil })
			return id
		}
		held := store.UserRole{UserUUID: p.user.UUID, RoleUUID: p.role.UUID, OrganisationUUID: &p.organisation.UUID}
		of := func(revoked *time.Time) store.UserRole {
			return store.UserRole{UserUUID: bob.UUID, RoleUUID: p.onCustomer.UUID, CustomerUUID: &p.customer.UUID, Revoked: revoked}
		}
		now := r.clock.Now()
		r.same(find(held), p.grant.UUID)
		r.same(find(of(nil)), uuid.Nil)
		first, last := now.Add(-time.Hour), now
		old := r.world.grantOnCustomer(bob, p.onCustomer, p.customer, func(g *store.UserRole) { g.Revoked = &first })
		r.same(find(of(nil)), uuid.Nil) // what is revoked stays so
		r.same(find(of(&now)), old.UUID)
		latest := r.world.grantOnCustomer(bob, p.onCustomer, p.customer, func(g *store.UserRole) { g.Revoked = &last })
		r.same(find(of(&now)), latest.UUID)
		current := r.world.grantOnCustomer(bob, p.onCustomer, p.customer)
		r.same(find(of(nil)), current.UUID)
		r.same(find(of(&now)), current.UUID) // which the import ends
	}},

	{"one object twice in a batch is what the later row says", func(r *rig) {
		id := r.world.id()
		r.write(func(tx *store.Tx) error {
			return tx.Import([]store.Customer{{UUID: id, Name: "First"}, {UUID: r.world.id(), Name: "Other"}, {UUID: id, Name: "Last"}})
		})
		c := must(r.store.Customer(r.ctx, id))
		r.same(c.Name, "Last")
		r.same(r.count("customers"), 2)
	}},

	{"a full batch of the widest rows", func(r *rig) {
		users := make([]store.User, store.ImportBatch)
		for i := range users {
			users[i] = store.User{UUID: r.world.id(), Username: fmt.Sprintf("user%d", i)}
		}
		r.write(func(tx *store.Tx) error { return tx.Import(users) })
		r.same(r.count("users"), store.ImportBatch)
		r.same(r.count("audit_events"), store.ImportBatch)
		o := r.world.organisation(r.world.customer("Tartu"))
		role := r.world.role("CUSTOMER.CALL_ORGANIZER")
		grants := make([]store.UserRole, store.ImportBatch)
		for i := range grants {
			grants[i] = store.UserRole{UserUUID: users[i].UUID, RoleUUID: role.UUID, OrganisationUUID: &o.UUID}
		}
		r.write(func(tx *store.Tx) error { return tx.Import(grants) })
		r.same(r.count("user_roles"), store.ImportBatch)
	}},

	{"empty is what the migrations left", func(r *rig) {
		check := func(want bool) {
			r.Helper()
			r.same(must(r.store.Empty(r.ctx)), want)
		}
		check(true)
		r.is(r.fails(func(tx *store.Tx) error {
			r.ok(tx.SetSetting("x", "y"))
			r.same(must(tx.Empty(r.ctx)), false)
			return errTakeBack
		}), errTakeBack)
		check(true)
		r.world.newRole("R", nil)
		check(false)
	}},
}
