package store_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// audited is what the mutating methods work on: a world, and what they need beside it.
type audited struct {
	populated
	free               store.Customer // has no organisation
	empty, illustrated store.Organisation
	other              store.User
	second             store.Role
}

// mutation calls a method and says which events it has to leave, as "action object".
type mutation func(tx *store.Tx, a audited) ([]string, error)

// event is what an event says of an object.
func event(action string, object fmt.Stringer) []string {
	return []string{action + " " + object.String()}
}

// imports writes a row with a new id.
func imports[T any](objectType string, row func(a audited, id uuid.UUID) T) mutation {
	return func(tx *store.Tx, a audited) ([]string, error) {
		id := uuid.New()
		return event(objectType+".import", id), tx.Import([]T{row(a, id)})
	}
}

// updates changes an organisation.
func updates(organisation func(audited) store.Organisation, change store.OrganisationChange) mutation {
	return func(tx *store.Tx, a audited) ([]string, error) {
		o := organisation(a)
		_, err := tx.UpdateOrganisation(o, change)
		return event("call_managing_organisation.update", o.UUID), err
	}
}

// setsImage gives an object an image, or takes it away.
func setsImage(owner string, objectType string, object func(audited) uuid.UUID, image *store.NewImage) mutation {
	return func(tx *store.Tx, a audited) ([]string, error) {
		return event(objectType+".import", object(a)), tx.ImportImage(owner, object(a), image)
	}
}

func emptyOne(a audited) store.Organisation       { return a.empty }
func illustratedOne(a audited) store.Organisation { return a.illustrated }

// mutations has an entry for each method of Tx that changes data; some have several.
var mutations = map[string][]mutation{
	"CreateUser": {func(tx *store.Tx, _ audited) ([]string, error) {
		u, err := tx.CreateUser(store.User{Username: "new"}, nil)
		return event("user.create", u.UUID), err
	}},
	"UpdateUser": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("user.update", a.user.UUID), tx.UpdateUser(a.user, store.UserChange{FirstName: ptr("changed")})
	}},
	"SignIn": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("token.create", a.user.UUID), tx.SignIn(a.user, "127.0.0.1", store.Digest("new"), time.Hour)
	}},
	"FailSignIn": {func(tx *store.Tx, a audited) ([]string, error) { // anybody can fail, as often as they like
		return []string{}, tx.FailSignIn(a.user.Username, "127.0.0.1")
	}},
	"RevokeToken": {func(tx *store.Tx, a audited) ([]string, error) {
		return append(append(event("token.create", a.user.UUID), event("token.create", a.user.UUID)...), event("token.revoke", a.user.UUID)...), errors.Join(
			tx.CreateToken(a.user.UUID, store.Digest("kept"), nil),
			tx.CreateToken(a.user.UUID, store.Digest("new"), nil),
			tx.RevokeToken(a.user.UUID, store.Digest("new")))
	}},
	"SetPassword": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("user.set_password", a.user.UUID), tx.SetPassword(a.user.UUID, "hash")
	}},
	"Deactivate": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("user.update", a.user.UUID), tx.Deactivate(a.user.UUID)
	}},
	"CreateToken": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("token.create", a.user.UUID), tx.CreateToken(a.user.UUID, store.Digest("new"), nil)
	}},
	"RevokeTokens": {func(tx *store.Tx, a audited) ([]string, error) {
		_, err := tx.RevokeTokens(a.user.UUID)
		return event("token.revoke", a.user.UUID), err
	}},
	"CreateCustomer": {func(tx *store.Tx, _ audited) ([]string, error) {
		c, err := tx.CreateCustomer(store.Customer{Name: "new"}, storetest.Picture("new"))
		return event("customer.create", c.UUID), err
	}},
	"UpdateCustomer": {
		func(tx *store.Tx, a audited) ([]string, error) { // and the copies of its name
			return event("customer.update", a.customer.UUID), tx.UpdateCustomer(a.customer, store.CustomerChange{Name: ptr("renamed")})
		},
		func(tx *store.Tx, a audited) ([]string, error) {
			return event("customer.update", a.free.UUID), tx.UpdateCustomer(a.free, store.CustomerChange{Image: storetest.Picture("new")})
		},
	},
	"DeleteCustomer": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("customer.delete", a.free.UUID), tx.DeleteCustomer(a.free)
	}},
	"CreateOrganisation": {func(tx *store.Tx, a audited) ([]string, error) {
		o, err := tx.CreateOrganisation(a.free, "new", storetest.Picture("new"))
		return event("call_managing_organisation.create", o.UUID), err
	}},
	"UpdateOrganisation": {
		updates(emptyOne, store.OrganisationChange{Description: ptr("changed")}),
		updates(illustratedOne, store.OrganisationChange{Image: storetest.Picture("other")}),
		updates(illustratedOne, store.OrganisationChange{ClearImage: true}),
	},
	"DeleteOrganisation": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("call_managing_organisation.delete", a.illustrated.UUID), tx.DeleteOrganisation(a.illustrated)
	}},
	"GrantRole": {
		func(tx *store.Tx, a audited) ([]string, error) {
			return []string{"user_role.create *"}, tx.GrantRole(a.other.UUID, a.role.UUID, on(a.organisation.UUID), nil)
		},
		func(tx *store.Tx, a audited) ([]string, error) { // takes the place of one that ends sooner
			if err := tx.UpdateGrant(a.user.UUID, a.role.UUID, on(a.organisation.UUID), ptr(tx.Now())); err != nil {
				return nil, err
			}
			return []string{"user_role.create *", "user_role.revoke " + a.grant.UUID.String(), "user_role.update " + a.grant.UUID.String()},
				tx.GrantRole(a.user.UUID, a.role.UUID, on(a.organisation.UUID), nil)
		},
	},
	"UpdateGrant": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("user_role.update", a.grant.UUID), tx.UpdateGrant(a.user.UUID, a.role.UUID, on(a.organisation.UUID), ptr(tx.Now()))
	}},
	"RevokeRole": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("user_role.revoke", a.grant.UUID), tx.RevokeRole(a.user.UUID, a.role.UUID, on(a.organisation.UUID))
	}},
	"SetSetting": {func(tx *store.Tx, _ audited) ([]string, error) {
		return []string{"setting.set demo"}, tx.SetSetting("demo", "new")
	}},
	"Import": {
		imports("customer", func(_ audited, id uuid.UUID) store.Customer { return store.Customer{UUID: id, Name: "new"} }),
		func(tx *store.Tx, a audited) ([]string, error) { // and the copies of its name
			a.customer.Name = "renamed"
			return event("customer.import", a.customer.UUID), tx.Import([]store.Customer{a.customer})
		},
		imports("user", func(_ audited, id uuid.UUID) store.User { return store.User{UUID: id, Username: "new"} }),
		func(tx *store.Tx, a audited) ([]string, error) {
			return event("token.import", a.other.UUID), tx.Import([]store.Token{{Digest: store.Digest("new"), UserUUID: a.other.UUID}})
		},
		imports("role", func(_ audited, id uuid.UUID) store.Role {
			return store.Role{UUID: id, Name: "NEW", Scope: store.ScopeCustomer}
		}),
		func(tx *store.Tx, a audited) ([]string, error) { // its permissions alone
			a.second.Permissions = []string{"OTHER"}
			return event("role.import", a.second.UUID), tx.Import([]store.Role{a.second})
		},
		imports("call_managing_organisation", func(a audited, id uuid.UUID) store.CallManagingOrganisation {
			return store.CallManagingOrganisation{UUID: id, CustomerUUID: a.free.UUID}
		}),
		imports("user_role", func(a audited, id uuid.UUID) store.UserRole {
			return store.UserRole{UUID: id, UserUUID: a.other.UUID, RoleUUID: a.role.UUID, OrganisationUUID: &a.organisation.UUID}
		}),
		imports("call", func(a audited, id uuid.UUID) store.Call {
			return store.Call{UUID: id, OrganisationUUID: a.organisation.UUID, State: "draft"}
		}),
		imports("round", func(a audited, id uuid.UUID) store.Round {
			return store.Round{UUID: id, CallUUID: a.call.UUID, CutoffTime: time.Unix(0, 0)}
		}),
		imports("proposal", func(a audited, id uuid.UUID) store.Proposal {
			return store.Proposal{UUID: id, RoundUUID: a.round.UUID, State: "draft"}
		}),
		imports("review", func(a audited, id uuid.UUID) store.Review {
			return store.Review{UUID: id, ProposalUUID: a.proposal.UUID, ReviewerUUID: a.user.UUID, State: "created"}
		}),
		imports("requested_offering", func(a audited, id uuid.UUID) store.RequestedOffering {
			return store.RequestedOffering{UUID: id, CallUUID: a.call.UUID, State: "requested"}
		}),
	},
	"ImportImage": {
		setsImage("customers", "customer", func(a audited) uuid.UUID { return a.customer.UUID }, storetest.Picture("new")),
		setsImage("users", "user", func(a audited) uuid.UUID { return a.user.UUID }, storetest.Picture("new")),
		setsImage("call_managing_organisations", "call_managing_organisation", func(a audited) uuid.UUID { return a.illustrated.UUID }, nil),
	},
}

// methods names those of a type.
func methods[T any]() (names []string) {
	for m := range reflect.TypeFor[T]().Methods() {
		names = append(names, m.Name)
	}
	return names
}

// checkMutation makes the change in a world, and looks for exactly its events.
func (r *rig) checkMutation(change mutation) {
	a := audited{populated: r.populate()}
	a.free, a.other, a.second = r.world.customer("Free"), r.world.user("bob"), r.world.newRole("SECOND", []string{"P"})
	a.empty = must(r.store.Organisation(r.ctx, r.world.organisation(r.world.customer("Empty")).UUID))
	illustrated := r.world.organisation(r.world.customer("Illustrated"))
	r.world.image("call_managing_organisations", illustrated.UUID, "old")
	a.illustrated = must(r.store.Organisation(r.ctx, illustrated.UUID))
	r.world.token(a.user)
	before := r.dump()
	r.clock.Advance(time.Minute)
	var want []string
	r.ok(r.store.Write(r.ctx, store.Actor{UserUUID: &a.other.UUID, RequestID: "request 1"}, func(tx *store.Tx) (err error) {
		want, err = change(tx, a)
		return err
	}))
	for i, w := range want {
		action, object, _ := strings.Cut(w, " ")
		objectType, _, _ := strings.Cut(action, ".")
		want[i] = fmt.Sprintf("created=%s actor_uuid=%q request_id=\"request 1\" action=%q object_type=%q object=%q",
			r.clock.Now().Format(time.RFC3339Nano), a.other.UUID, action, objectType, object)
	}
	got := storetest.Rows(r, r.sql, `SELECT created, actor_uuid, request_id, action, object_type, CASE action WHEN 'user_role.create' THEN '*' ELSE object_uuid END AS object
		FROM audit_events WHERE request_id <> '' ORDER BY action`)
	r.same(got, want)
	after := r.dump()
	r.same(len(after["audit_events"]), len(before["audit_events"])+len(want))
	delete(before, "audit_events")
	delete(after, "audit_events")
	if cmp.Equal(before, after) {
		r.Error("nothing changes")
	}
}

var eventScenarios = []scenario{
	{"every change leaves its events, and nothing else than itself", func(r *rig) {
		notChanges := append(methods[*store.Store](), "Find", "FindGrant", "LockCustomer", "LockForImport", "LockOrganisation", "LockUser")
		want := slices.DeleteFunc(methods[*store.Tx](), func(name string) bool { return slices.Contains(notChanges, name) })
		r.same(slices.Sorted(maps.Keys(mutations)), want)
		for name, calls := range mutations {
			for i, call := range calls {
				r.Run(fmt.Sprint(name, i), func(t *testing.T) {
					r := newRig(t, r.engine)
					defer r.recover()
					r.checkMutation(call)
				})
			}
		}
	}},
}
