package store_test

import (
	"database/sql"
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

// audited is a world with what the mutating methods work on.
type audited struct {
	unique                           string         // part of names that must be
	customer, free                   store.Customer // free has no organisation
	organisation, empty, illustrated store.Organisation
	user, other                      store.User
	role, second                     store.Role
	call                             store.Call
	round                            store.Round
	proposal                         store.Proposal
	grant                            store.UserRole
}

// mutation calls one method and says which events it has to leave, as "action object".
type mutation func(tx *store.Tx, a audited) ([]string, error)

// event is what an event says of an object.
func event(action string, object fmt.Stringer) []string {
	return []string{action + " " + object.String()}
}

// imports calls a method that takes rows, of which one with the id is new or changed.
func imports[T any](method func(*store.Tx, []T) error, objectType string, row func(a audited, id uuid.UUID) T) mutation {
	return func(tx *store.Tx, a audited) ([]string, error) {
		id := uuid.New()
		return event(objectType+".import", id), method(tx, []T{row(a, id)})
	}
}

// mutations has an entry for each method of Tx that changes data; some have several.
var mutations = map[string][]mutation{
	"CreateUser": {func(tx *store.Tx, a audited) ([]string, error) {
		u, err := tx.CreateUser(store.User{Username: "new-" + a.unique})
		return event("user.create", u.UUID), err
	}},
	"CreateToken": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("token.create", a.user.UUID), tx.CreateToken(a.user.UUID, store.Digest(a.unique), nil)
	}},
	"RevokeTokens": {func(tx *store.Tx, a audited) ([]string, error) {
		_, err := tx.RevokeTokens(a.user.UUID)
		return event("token.revoke", a.user.UUID), err
	}},
	"CreateOrganisation": {func(tx *store.Tx, a audited) ([]string, error) {
		o, err := tx.CreateOrganisation(a.free, "new", storetest.Picture("new"))
		return event("call_managing_organisation.create", o.UUID), err
	}},
	"UpdateOrganisation": {
		func(tx *store.Tx, a audited) ([]string, error) {
			description := "changed"
			_, err := tx.UpdateOrganisation(a.empty, store.OrganisationChange{Description: &description})
			return event("call_managing_organisation.update", a.empty.UUID), err
		},
		func(tx *store.Tx, a audited) ([]string, error) {
			_, err := tx.UpdateOrganisation(a.illustrated, store.OrganisationChange{Image: storetest.Picture("other")})
			return event("call_managing_organisation.update", a.illustrated.UUID), err
		},
		func(tx *store.Tx, a audited) ([]string, error) {
			_, err := tx.UpdateOrganisation(a.illustrated, store.OrganisationChange{ClearImage: true})
			return event("call_managing_organisation.update", a.illustrated.UUID), err
		},
	},
	"DeleteOrganisation": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("call_managing_organisation.delete", a.illustrated.UUID), tx.DeleteOrganisation(a.illustrated)
	}},
	"GrantRole": {
		func(tx *store.Tx, a audited) ([]string, error) {
			err := tx.GrantRole(a.other.UUID, a.role.UUID, a.organisation.UUID, nil)
			return []string{"user_role.create *"}, err
		},
		func(tx *store.Tx, a audited) ([]string, error) { // takes the place of one that ends sooner
			err := tx.GrantRole(a.user.UUID, a.role.UUID, a.organisation.UUID, nil)
			return []string{"user_role.create *", "user_role.revoke " + a.grant.UUID.String()}, err
		},
	},
	"UpdateGrant": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("user_role.update", a.grant.UUID), tx.UpdateGrant(a.user.UUID, a.role.UUID, a.organisation.UUID, nil)
	}},
	"RevokeRole": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("user_role.revoke", a.grant.UUID), tx.RevokeRole(a.user.UUID, a.role.UUID, a.organisation.UUID)
	}},
	"SetSetting": {func(tx *store.Tx, a audited) ([]string, error) {
		return []string{"setting.set demo"}, tx.SetSetting("demo", a.unique)
	}},
	"ImportCustomers": {
		imports((*store.Tx).ImportCustomers, "customer", func(_ audited, id uuid.UUID) store.Customer {
			return store.Customer{UUID: id, Name: "new"}
		}),
		func(tx *store.Tx, a audited) ([]string, error) { // and the copies of its name
			a.customer.Name = "renamed"
			return event("customer.import", a.customer.UUID), tx.ImportCustomers([]store.Customer{a.customer})
		},
	},
	"ImportUsers": {imports((*store.Tx).ImportUsers, "user", func(a audited, id uuid.UUID) store.User {
		return store.User{UUID: id, Username: "new-" + a.unique}
	})},
	"ImportTokens": {func(tx *store.Tx, a audited) ([]string, error) {
		return event("token.import", a.other.UUID), tx.ImportTokens([]store.Token{{Digest: store.Digest(a.unique), UserUUID: a.other.UUID}})
	}},
	"ImportRoles": {
		imports((*store.Tx).ImportRoles, "role", func(a audited, id uuid.UUID) store.Role {
			return store.Role{UUID: id, Name: "NEW-" + a.unique, Scope: store.ScopeCustomer}
		}),
		func(tx *store.Tx, a audited) ([]string, error) { // its permissions alone
			a.second.Permissions = []string{"OTHER"}
			return event("role.import", a.second.UUID), tx.ImportRoles([]store.Role{a.second})
		},
	},
	"ImportOrganisations": {imports((*store.Tx).ImportOrganisations, "call_managing_organisation", func(a audited, id uuid.UUID) store.CallManagingOrganisation {
		return store.CallManagingOrganisation{UUID: id, CustomerUUID: a.free.UUID}
	})},
	"ImportUserRoles": {imports((*store.Tx).ImportUserRoles, "user_role", func(a audited, id uuid.UUID) store.UserRole {
		return store.UserRole{UUID: id, UserUUID: a.other.UUID, RoleUUID: a.role.UUID, OrganisationUUID: &a.organisation.UUID}
	})},
	"ImportCalls": {imports((*store.Tx).ImportCalls, "call", func(a audited, id uuid.UUID) store.Call {
		return store.Call{UUID: id, OrganisationUUID: a.organisation.UUID, State: "draft"}
	})},
	"ImportRounds": {imports((*store.Tx).ImportRounds, "round", func(a audited, id uuid.UUID) store.Round {
		return store.Round{UUID: id, CallUUID: a.call.UUID, CutoffTime: time.Unix(0, 0)}
	})},
	"ImportProposals": {imports((*store.Tx).ImportProposals, "proposal", func(a audited, id uuid.UUID) store.Proposal {
		return store.Proposal{UUID: id, RoundUUID: a.round.UUID, State: "draft"}
	})},
	"ImportReviews": {imports((*store.Tx).ImportReviews, "review", func(a audited, id uuid.UUID) store.Review {
		return store.Review{UUID: id, ProposalUUID: a.proposal.UUID, ReviewerUUID: a.user.UUID, State: "created"}
	})},
	"ImportRequestedOfferings": {imports((*store.Tx).ImportRequestedOfferings, "requested_offering", func(a audited, id uuid.UUID) store.RequestedOffering {
		return store.RequestedOffering{UUID: id, CallUUID: a.call.UUID, State: "requested"}
	})},
	"ImportImage": {
		func(tx *store.Tx, a audited) ([]string, error) {
			return event("customer.import", a.customer.UUID), tx.ImportImage(store.CustomerImage, a.customer.UUID, storetest.Picture("new"))
		},
		func(tx *store.Tx, a audited) ([]string, error) {
			return event("user.import", a.user.UUID), tx.ImportImage(store.UserImage, a.user.UUID, storetest.Picture("new"))
		},
		func(tx *store.Tx, a audited) ([]string, error) {
			return event("call_managing_organisation.import", a.illustrated.UUID), tx.ImportImage(store.OrganisationImage, a.illustrated.UUID, nil)
		},
	},
}

func methods[T any]() map[string]bool {
	names := map[string]bool{}
	for m := range reflect.TypeFor[T]().Methods() {
		names[m.Name] = true
	}
	return names
}

// newAudited fills a world; each call adds other objects.
func newAudited(t *testing.T, w *storetest.World, clock *storetest.Clock) audited {
	t.Helper()
	a := audited{unique: w.ID().String(), role: w.Role("CUSTOMER.CALL_ORGANIZER")}
	var o, empty, illustrated store.CallManagingOrganisation
	w.Together(func(w *storetest.World) {
		a.customer, a.free, a.user, a.other = w.Customer("Tartu"), w.Customer("Free"), w.User("alice-"+a.unique), w.User("bob-"+a.unique)
		a.second = w.NewRole("SECOND-"+a.unique, []string{"P"})
		o, empty, illustrated = w.Organisation(a.customer), w.Organisation(w.Customer("Empty")), w.Organisation(w.Customer("Illustrated"))
		w.Image(store.OrganisationImage, illustrated.UUID, "old")
		ends := clock.Now().Add(time.Hour)
		a.grant = w.Grant(a.user, a.role, o, func(g *store.UserRole) { g.ExpirationTime = &ends })
		w.Token(a.user)
		a.call = w.Call(o, "active")
		a.round = w.Round(a.call, clock.Now(), ends)
		a.proposal = w.Proposal(a.round, "draft")
	})
	for id, organisation := range map[uuid.UUID]*store.Organisation{o.UUID: &a.organisation, empty.UUID: &a.empty, illustrated.UUID: &a.illustrated} {
		var err error
		if *organisation, err = w.Store.Organisation(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func TestEachChangeLeavesItsEvent(t *testing.T) {
	shared := methods[*store.Store]()
	onlyLook := []string{"HoldsAsLong", "LockCustomer", "LockForImport", "LockOrganisation"} // methods of Tx that change nothing
	var want []string
	for name := range methods[*store.Tx]() {
		if !shared[name] && !slices.Contains(onlyLook, name) {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(mutations))); diff != "" {
		t.Fatalf("methods (-), mutations (+):\n%s", diff)
	}
	storetest.Each(t, func(t *testing.T, engine string) {
		clock := storetest.NewClock()
		var tables storetest.SQL
		s := storetest.Open(t, engine, clock.Use, tables.Use)
		db, w := tables.DB(t), storetest.NewWorld(t, s)
		for name, calls := range mutations {
			for i, call := range calls {
				a := newAudited(t, w, clock)
				before := storetest.Dump(t, db)
				clock.Advance(time.Minute)
				actor := store.Actor{UserUUID: &a.other.UUID, RequestID: fmt.Sprint("request ", name, i)}
				var want []string
				if err := s.Write(t.Context(), actor, func(tx *store.Tx) (err error) {
					want, err = call(tx, a)
					return err
				}); err != nil {
					t.Fatalf("%s %d: %v", name, i, err)
				}
				after := storetest.Dump(t, db)
				checkEvents(t, actor.RequestID, db, want, *actor.UserUUID, clock.Now())
				if n := len(after["audit_events"]) - len(before["audit_events"]); n != len(want) {
					t.Errorf("%s %d leaves %d events", name, i, n)
				}
				delete(before, "audit_events")
				delete(after, "audit_events")
				if cmp.Equal(before, after) {
					t.Errorf("%s %d changes nothing", name, i)
				}
			}
		}
	})
}

// checkEvents looks for exactly these events of a request.
func checkEvents(t *testing.T, request string, db *sql.DB, want []string, actor uuid.UUID, now time.Time) {
	t.Helper()
	var got []string
	for _, r := range values(t, db, "SELECT action, object_uuid, actor_uuid, object_type FROM audit_events WHERE request_id = '"+request+"'") {
		if r[2] != actor.String() || r[3]+"."+strings.SplitN(r[0], ".", 2)[1] != r[0] {
			t.Errorf("%s: event %q", request, r)
		}
		if any := r[0] + " *"; slices.Contains(want, any) {
			r[1] = "*"
		}
		got = append(got, r[0]+" "+r[1])
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: want (-), got (+):\n%s", request, diff)
	}
	times := storetest.Rows(t, db, "SELECT DISTINCT created FROM audit_events WHERE request_id = '"+request+"'")
	if want := []string{"created=" + now.Format(time.RFC3339Nano)}; !slices.Equal(times, want) {
		t.Errorf("%s: at %q, not %q", request, times, want)
	}
}
