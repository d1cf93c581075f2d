package access_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

const (
	customer     = store.ScopeCustomer
	organisation = store.ScopeOrganisation
)

// Who may manage a role by the customer and by the organisation may manage their own too. The server's tests
// have the other rules.
func TestManagingOnesOwnRole(t *testing.T) {
	on := func(scope store.Scope) store.HeldRole {
		return store.HeldRole{Scope: scope, Permission: access.PermissionGrantRole}
	}
	held := []store.HeldRole{on(organisation), on(customer)}
	if allowed, othersOnly := (access.Principal{}).MayManageRole(held, access.PermissionGrantRole); !allowed || othersOnly {
		t.Errorf("allowed is %v, only others' is %v", allowed, othersOnly)
	}
}

// The built-in roles that the migrations write are those that the rules know, with Waldur's
// permissions, of which those on the roles of organisations are added to the owner's, and none may register.
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
				access.PermissionUpdateRole, access.PermissionGrantCustomerRole, access.PermissionRevokeCustomerRole,
				access.PermissionUpdateCustomerRole, "OFFERING.ACCEPT_CALL_REQUEST",
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
