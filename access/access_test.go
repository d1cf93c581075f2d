package access_test

import (
	"context"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

func on(scope store.Scope, name string, permissions ...string) []store.HeldRole {
	return []store.HeldRole{{Scope: scope, Name: name, Permissions: permissions}}
}

const (
	customer     = store.ScopeCustomer
	organisation = store.ScopeOrganisation
)

// manage is what MayManageRole says: no, of others, or of all.
type manage string

const (
	no     manage = "no"
	others manage = "others"
	all    manage = "all"
)

func TestRules(t *testing.T) {
	staff, support, user := access.Principal{Staff: true}, access.Principal{Support: true}, access.Principal{}
	tests := []struct {
		name                 string
		principal            access.Principal
		held                 []store.HeldRole
		create, change, list bool
		grant, update, end   manage
	}{
		{"nobody", user, nil, false, false, false, no, no, no},
		{"staff", staff, nil, true, true, true, all, all, all},
		{"support", support, nil, false, false, true, no, no, no},
		{"support and an owner", support, on(customer, access.RoleCustomerOwner), false, true, true, no, no, no},

		// The owner is known by the role's name, on the customer alone.
		{"owner of the customer", user, on(customer, access.RoleCustomerOwner), false, true, true, no, no, no},
		{"a role of that name on the organisation", user, on(organisation, access.RoleCustomerOwner), false, false, true, no, no, no},
		{"manager of the customer", user, on(customer, access.RoleCustomerManager), false, false, true, no, no, no},
		{"call organizer", user, on(organisation, access.RoleCallOrganizer), false, false, true, no, no, no},

		// Everything else is known by its permission.
		{"may register on the customer", user, on(customer, "X", access.PermissionRegister), true, false, true, no, no, no},
		{"may register on the organisation", user, on(organisation, "X", access.PermissionRegister), false, false, true, no, no, no},
		{"may grant on the customer", user, on(customer, "X", access.PermissionGrantRole), false, false, true, all, no, no},
		{"may update on the customer", user, on(customer, "X", access.PermissionUpdateRole), false, false, true, no, all, no},
		{"may revoke on the customer", user, on(customer, "X", access.PermissionRevokeRole), false, false, true, no, no, all},
		{"may grant on the organisation", user, on(organisation, "X", access.PermissionGrantRole), false, false, true, others, no, no},
		{"may update on the organisation", user, on(organisation, "X", access.PermissionUpdateRole), false, false, true, no, others, no},
		{"may revoke on the organisation", user, on(organisation, "X", access.PermissionRevokeRole), false, false, true, no, no, others},
		{"on both: what is held on the customer counts", user, append(on(organisation, "X", access.PermissionGrantRole, access.PermissionUpdateRole), on(customer, "Y", "Z", access.PermissionGrantRole)...), false, false, true, all, others, no},
		{"staff with a role on the organisation", staff, on(organisation, "X", access.PermissionGrantRole), true, true, true, all, all, all},
		{"part of a permission", user, on(customer, "X", "CALL.CREATE", "SERVICE_PROVIDER"), false, false, true, no, no, no},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := test.principal
			managed := func(permission string) manage {
				switch allowed, othersOnly := p.MayManageRole(test.held, permission); {
				case !allowed:
					return no
				case othersOnly:
					return others
				}
				return all
			}
			got := []any{
				p.MayCreate(test.held), p.MayChange(test.held), p.MayListUsers(test.held),
				managed(access.PermissionGrantRole), managed(access.PermissionUpdateRole), managed(access.PermissionRevokeRole),
			}
			want := []any{test.create, test.change, test.list, test.grant, test.update, test.end}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("create, change, list users, grant, update and revoke a role; want (-), got (+):\n%s", diff)
			}
		})
	}
}

// A context without a principal is nobody's, and an outer one is not changed.
func TestPrincipalOnTheContext(t *testing.T) {
	outer := context.Background()
	if got := access.From(outer); got != (access.Principal{}) {
		t.Errorf("without one: %+v", got)
	}
	alice := access.Principal{UserUUID: uuid.New(), Staff: true, Support: true}
	inner := access.With(outer, alice)
	if got := access.From(inner); got != alice {
		t.Errorf("inside: %+v", got)
	}
	if got := access.From(outer); got != (access.Principal{}) {
		t.Errorf("outside: %+v", got)
	}
}

// The built-in roles that the migrations write are those that the rules know, with Waldur's
// permissions, of which those on roles are added to the owner's, and none may register.
func TestBuiltInRoles(t *testing.T) {
	want := []store.Role{
		{
			UUID: uuid.MustParse("00000000-0000-4000-8000-000000000004"), Name: access.RoleCallOrganizer, Scope: organisation,
			Description: "Organization call organizer", IsActive: true,
			Permissions: []string{
				"CALL.APPROVE_AND_REJECT_PROPOSALS", "CALL.CLOSE_ROUNDS", "CALL.CREATE", access.PermissionGrantRole, access.PermissionRevokeRole,
				"CALL.LIST", access.PermissionUpdateRole, "PROPOSAL.LIST", "PROPOSAL.MANAGE_REVIEW", "ROUND.LIST",
			},
		},
		{
			UUID: uuid.MustParse("00000000-0000-4000-8000-000000000002"), Name: access.RoleCustomerManager, Scope: customer,
			Description: "Organization manager", IsActive: true,
		},
		{
			UUID: uuid.MustParse("00000000-0000-4000-8000-000000000001"), Name: access.RoleCustomerOwner, Scope: customer,
			Description: "Organization owner", IsActive: true,
			Permissions: []string{
				"CALL.APPROVE_AND_REJECT_PROPOSALS", "CALL.CLOSE_ROUNDS", access.PermissionGrantRole, access.PermissionRevokeRole,
				access.PermissionUpdateRole, "OFFERING.ACCEPT_CALL_REQUEST",
			},
		},
		{
			UUID: uuid.MustParse("00000000-0000-4000-8000-000000000003"), Name: access.RoleCustomerSupport, Scope: customer,
			Description: "Organization support",
		},
	}
	for i := range want {
		want[i].NameKey = store.CollationKey(want[i].Name)
	}
	storetest.Each(t, func(t *testing.T, engine string) {
		got, err := storetest.Roles(storetest.Open(t, engine))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.Transformer("empty", func(list []string) []string { return append([]string{}, list...) })); diff != "" {
			t.Errorf("want (-), migrations (+):\n%s", diff)
		}
	})
}
