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
	return gen.CallManagingOrganisationsListUsersList200JSONResponse{
		Body: items, Headers: gen.CallManagingOrganisationsListUsersList200ResponseHeaders(headers),
	}, err
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
	return gen.CallManagingOrganisationsListUsersCount200Response{
		Headers: gen.CallManagingOrganisationsListUsersCount200ResponseHeaders(headers),
	}, err
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
		Username: valueOf(params.Username), FullName: valueOf(params.FullName), NativeName: valueOf(params.NativeName),
		UserSlug: valueOf(params.UserSlug), Search: valueOf(params.SearchString),
	}
	if params.User != nil {
		f.Users = append(f.Users, *params.User)
	}
	if params.UserURL != nil {
		f.Users = append(f.Users, uuidOfURL(*params.UserURL))
	}
	role := valueOf(params.Role)
	if id, err := ParseUUID(role); err == nil {
		f.RoleUUID = id
	} else {
		f.RoleName = role
	}
	return f
}

// CallManagingOrganisationsAddUser grants a role to a user.
func (h CallManagingOrganisations) CallManagingOrganisationsAddUser(
	ctx context.Context, request gen.CallManagingOrganisationsAddUserRequestObject,
) (gen.CallManagingOrganisationsAddUserResponseObject, error) {
	grant := func(tx *store.Tx, p access.Principal, t roleTarget) error {
		if !t.user.IsActive && !p.Staff {
			return NonField("Only staff users can assign roles to deactivated users.")
		}
		err := tx.GrantRole(t.user.UUID, t.role.UUID, t.organisation.UUID, t.expires)
		switch { // in Waldur's order; an error rolls the grant back
		case errors.Is(err, store.ErrAlreadyGranted):
			return NonField("User has already the same role in this scope.")
		case err == nil && t.role.Scope != store.ScopeOrganisation:
			return NonField("Role is not valid for this scope.")
		case err == nil && !t.role.IsActive:
			return NonField("Role is not active.")
		}
		return err
	}
	answer, err := h.manageRole(ctx, request.UUID, access.PermissionGrantRole, request.JSONBody, grant)
	return gen.CallManagingOrganisationsAddUser201JSONResponse{Body: answer}, err
}

// CallManagingOrganisationsUpdateUser changes when a user's role ends.
func (h CallManagingOrganisations) CallManagingOrganisationsUpdateUser(
	ctx context.Context, request gen.CallManagingOrganisationsUpdateUserRequestObject,
) (gen.CallManagingOrganisationsUpdateUserResponseObject, error) {
	update := func(tx *store.Tx, _ access.Principal, t roleTarget) error {
		err := tx.UpdateGrant(t.user.UUID, t.role.UUID, t.organisation.UUID, t.expires)
		if errors.Is(err, store.ErrNotFound) {
			return NonField("User does not have this role in this scope.")
		}
		return err
	}
	body := (*gen.UserRoleCreateRequest)(request.JSONBody)
	answer, err := h.manageRole(ctx, request.UUID, access.PermissionUpdateRole, body, update)
	return gen.CallManagingOrganisationsUpdateUser200JSONResponse{Body: answer}, err
}

// CallManagingOrganisationsDeleteUser revokes a user's role; where it is not held nothing changes.
func (h CallManagingOrganisations) CallManagingOrganisationsDeleteUser(
	ctx context.Context, request gen.CallManagingOrganisationsDeleteUserRequestObject,
) (gen.CallManagingOrganisationsDeleteUserResponseObject, error) {
	revoke := func(tx *store.Tx, _ access.Principal, t roleTarget) error {
		return tx.RevokeRole(t.user.UUID, t.role.UUID, t.organisation.UUID)
	}
	body := (*gen.UserRoleCreateRequest)(request.JSONBody)
	_, err := h.manageRole(ctx, request.UUID, access.PermissionRevokeRole, body, revoke)
	return gen.CallManagingOrganisationsDeleteUser200Response{}, err
}

// roleTarget is what a role action is about.
type roleTarget struct {
	organisation store.Organisation
	role         store.Role
	user         store.User
	expires      *time.Time // nil: never
	latest       *time.Time // how late it may be: when the principal's own permission ends; nil: without an end
}

// manageRole is what the role actions share, whose bodies are alike: it checks access, then the fields,
// then what concerns the body as a whole.
func (h CallManagingOrganisations) manageRole(
	ctx context.Context, id uuid.UUID, permission string, body *gen.UserRoleCreateRequest,
	apply func(*store.Tx, access.Principal, roleTarget) error,
) (answer gen.UserRoleExpirationTime, err error) {
	var target roleTarget
	if body.ExpirationTime != nil {
		expires, _ := ParseTime(*body.ExpirationTime) // the validator has checked it
		expires = expires.Truncate(time.Microsecond)
		target.expires = &expires
	}
	othersOnly := false
	allows := func(p access.Principal, held []store.HeldRole) (allowed bool) {
		allowed, othersOnly = p.MayManageRole(held, permission)
		if permission != access.PermissionRevokeRole { // whose time does not matter
			target.latest = access.HeldUntil(held, permission)
		}
		return allowed
	}
	err = h.change(ctx, id, allows, func(tx *store.Tx, p access.Principal, o store.Organisation) error {
		target.organisation = o
		err := target.load(ctx, tx, body)
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
	return gen.UserRoleExpirationTime{ExpirationTime: formatEnd(target.expires)}, err
}

// load loads what the fields of a role action name, and refuses those that are wrong.
func (t *roleTarget) load(ctx context.Context, tx *store.Tx, body *gen.UserRoleCreateRequest) (err error) {
	fields := fieldErrors{}
	if roleUUID, notUUID := ParseUUID(body.Role); notUUID == nil {
		t.role, err = tx.Role(ctx, roleUUID)
	} else {
		t.role, err = tx.RoleByName(ctx, body.Role)
	}
	if err := fields.addMissing("role", "Role is not found.", err); err != nil {
		return err
	}
	t.user, err = tx.User(ctx, body.User)
	if err := fields.addMissing("user", "User is not found.", err); err != nil {
		return err
	}
	switch {
	case t.expires != nil && t.expires.Before(tx.Now()):
		fields.add("expiration_time", "Expiration time should be greater than current time.")
	case t.latest != nil && (t.expires == nil || t.expires.After(*t.latest)):
		fields.add("expiration_time", "Expiration time must not be later than that of your own role.")
	}
	return fields.problem()
}
