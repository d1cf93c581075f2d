package handlers

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// CallManagingOrganisationsListUsersList is a page of the roles granted on an organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsListUsersList(
	ctx context.Context, request gen.CallManagingOrganisationsListUsersListRequestObject,
) (gen.CallManagingOrganisationsListUsersListResponseObject, error) {
	if err := h.mayListUsers(ctx, request.UUID); err != nil {
		return nil, err
	}
	params := request.Params
	read := func(page store.Page) ([]store.Member, int64, error) {
		return h.store.ListMembers(ctx, request.UUID, memberFilter(params), orderOf(params.O), page)
	}
	member := func(m store.Member) gen.UserRoleDetails { return narrow(render(ctx).member(m), params.Field) }
	items, headers, err := list(ctx, params.Page, params.PageSize, read, member)
	if err != nil {
		return nil, err
	}
	return gen.CallManagingOrganisationsListUsersList200JSONResponse{
		Body: items, Headers: gen.CallManagingOrganisationsListUsersList200ResponseHeaders(headers),
	}, nil
}

// CallManagingOrganisationsListUsersCount is the headers of the list of users.
func (h CallManagingOrganisations) CallManagingOrganisationsListUsersCount(
	ctx context.Context, request gen.CallManagingOrganisationsListUsersCountRequestObject,
) (gen.CallManagingOrganisationsListUsersCountResponseObject, error) {
	if err := h.mayListUsers(ctx, request.UUID); err != nil {
		return nil, err
	}
	params := gen.CallManagingOrganisationsListUsersListParams(request.Params)
	total, err := h.store.CountMembers(ctx, request.UUID, memberFilter(params))
	headers, err := count(ctx, params.Page, params.PageSize, total, err)
	if err != nil {
		return nil, err
	}
	return gen.CallManagingOrganisationsListUsersCount200Response{
		Headers: gen.CallManagingOrganisationsListUsersCount200ResponseHeaders(headers),
	}, nil
}

func (h CallManagingOrganisations) mayListUsers(ctx context.Context, id uuid.UUID) error {
	o, err := h.store.Organisation(ctx, id)
	if err != nil {
		return err
	}
	return checkRule(ctx, h.store, access.From(ctx), o, access.Principal.MayListUsers)
}

func memberFilter(params gen.CallManagingOrganisationsListUsersListParams) store.MemberFilter {
	f := store.MemberFilter{
		Username: orEmpty(params.Username), FullName: orEmpty(params.FullName), NativeName: orEmpty(params.NativeName),
		UserSlug: orEmpty(params.UserSlug), Search: orEmpty(params.SearchString),
	}
	if params.User != nil {
		f.Users = append(f.Users, *params.User)
	}
	if params.UserURL != nil {
		f.Users = append(f.Users, uuidOfURL(*params.UserURL))
	}
	if id, err := ParseUUID(orEmpty(params.Role)); err == nil {
		f.RoleUUID = id
	} else {
		f.RoleName = orEmpty(params.Role)
	}
	return f
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// CallManagingOrganisationsAddUser grants a role to a user.
func (h CallManagingOrganisations) CallManagingOrganisationsAddUser(
	ctx context.Context, request gen.CallManagingOrganisationsAddUserRequestObject,
) (gen.CallManagingOrganisationsAddUserResponseObject, error) {
	input := readRole(request.JSONBody)
	grant := func(tx *store.Tx, p access.Principal, t roleTarget) error {
		if err := mayGrant(tx, p, t, input.expires); err != nil {
			return err
		}
		return tx.GrantRole(t.user.UUID, t.role.UUID, t.organisation.UUID, input.expires)
	}
	if err := h.manageRole(ctx, request.UUID, access.PermissionGrantRole, input, grant); err != nil {
		return nil, err
	}
	answer := gen.UserRoleExpirationTime{ExpirationTime: formatEnd(input.expires)}
	return gen.CallManagingOrganisationsAddUser201JSONResponse{Body: answer}, nil
}

// mayGrant checks what only concerns new grants, in Waldur's order.
func mayGrant(tx *store.Tx, p access.Principal, t roleTarget, expires *time.Time) error {
	if !t.user.IsActive && !p.Staff {
		return NonField("Only staff users can assign roles to deactivated users.")
	}
	held, err := tx.HoldsAsLong(t.user.UUID, t.role.UUID, t.organisation.UUID, expires)
	switch {
	case err != nil:
		return err
	case held:
		return NonField("User has already the same role in this scope.")
	case t.role.Scope != store.ScopeOrganisation:
		return NonField("Role is not valid for this scope.")
	case !t.role.IsActive:
		return NonField("Role is not active.")
	}
	return nil
}

// CallManagingOrganisationsUpdateUser changes when a user's role ends.
func (h CallManagingOrganisations) CallManagingOrganisationsUpdateUser(
	ctx context.Context, request gen.CallManagingOrganisationsUpdateUserRequestObject,
) (gen.CallManagingOrganisationsUpdateUserResponseObject, error) {
	input := readRole((*gen.UserRoleCreateRequest)(request.JSONBody))
	update := func(tx *store.Tx, _ access.Principal, t roleTarget) error {
		err := tx.UpdateGrant(t.user.UUID, t.role.UUID, t.organisation.UUID, input.expires)
		if errors.Is(err, store.ErrNotFound) {
			return NonField("User does not have this role in this scope.")
		}
		return err
	}
	if err := h.manageRole(ctx, request.UUID, access.PermissionUpdateRole, input, update); err != nil {
		return nil, err
	}
	answer := gen.UserRoleExpirationTime{ExpirationTime: formatEnd(input.expires)}
	return gen.CallManagingOrganisationsUpdateUser200JSONResponse{Body: answer}, nil
}

// CallManagingOrganisationsDeleteUser revokes a user's role; where it is not held nothing changes.
func (h CallManagingOrganisations) CallManagingOrganisationsDeleteUser(
	ctx context.Context, request gen.CallManagingOrganisationsDeleteUserRequestObject,
) (gen.CallManagingOrganisationsDeleteUserResponseObject, error) {
	input := readRole((*gen.UserRoleCreateRequest)(request.JSONBody))
	revoke := func(tx *store.Tx, _ access.Principal, t roleTarget) error {
		return tx.RevokeRole(t.user.UUID, t.role.UUID, t.organisation.UUID)
	}
	if err := h.manageRole(ctx, request.UUID, access.PermissionRevokeRole, input, revoke); err != nil {
		return nil, err
	}
	return gen.CallManagingOrganisationsDeleteUser200Response{}, nil
}

// roleInput is the body of a role action.
type roleInput struct {
	role    string // UUID or name
	user    uuid.UUID
	expires *time.Time // nil: never
}

// roleTarget is what a role action is about.
type roleTarget struct {
	organisation store.Organisation
	role         store.Role
	user         store.User
}

// manageRole is what the role actions share: it checks access, then the fields, then what concerns
// the body as a whole.
func (h CallManagingOrganisations) manageRole(
	ctx context.Context, id uuid.UUID, permission string, input roleInput,
	apply func(*store.Tx, access.Principal, roleTarget) error,
) error {
	othersOnly := false
	may := mayOnOrganisation(ctx, func(p access.Principal, held []store.HeldRole) (allowed bool) {
		allowed, othersOnly = p.MayManageRole(held, permission)
		return allowed
	})
	return change(ctx, h.store, organisation(id), may, func(tx *store.Tx, p access.Principal, o store.Organisation) error {
		target, err := loadTarget(ctx, tx, o, input)
		switch {
		case err != nil:
			return err
		case !o.CustomerAvailable():
			return NonField(textNotAvailable)
		case othersOnly && target.user.UUID == p.UserUUID:
			return NonField("User can not manage own role.")
		}
		return apply(tx, p, target)
	})
}

// loadTarget loads what the fields of a role action name, and refuses those that are wrong.
func loadTarget(ctx context.Context, tx *store.Tx, o store.Organisation, input roleInput) (roleTarget, error) {
	target := roleTarget{organisation: o}
	fields := fieldErrors{}
	var err error
	if roleUUID, notUUID := ParseUUID(input.role); notUUID == nil {
		target.role, err = tx.Role(ctx, roleUUID)
	} else {
		target.role, err = tx.RoleByName(ctx, input.role)
	}
	if err := fields.addMissing("role", "Role is not found.", err); err != nil {
		return target, err
	}
	target.user, err = tx.User(ctx, input.user)
	if err := fields.addMissing("user", "User is not found.", err); err != nil {
		return target, err
	}
	if input.expires != nil && input.expires.Before(tx.Now()) {
		fields.add("expiration_time", "Expiration time should be greater than current time.")
	}
	return target, fields.problem()
}
