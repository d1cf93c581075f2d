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
func (h CallManagingOrganisations) CallManagingOrganisationsListUsersList(ctx context.Context, request gen.CallManagingOrganisationsListUsersListRequestObject) (gen.CallManagingOrganisationsListUsersListResponseObject, error) {
	if err := h.mayListUsers(ctx, request.UUID); err != nil {
		return nil, err
	}
	page := pageOf(request.Params.Page, request.Params.PageSize)
	list, total, err := h.store.ListMembers(ctx, request.UUID, memberFilter(request.Params), orderOf(request.Params.O), page)
	if err != nil {
		return nil, pageErr(err)
	}
	return memberList{
		origin:  RequestFrom(ctx).Origin,
		list:    list,
		fields:  request.Params.Field,
		headers: gen.CallManagingOrganisationsListUsersList200ResponseHeaders{Link: link(ctx, page, int(total)), XResultCount: int(total)},
	}, nil
}

// CallManagingOrganisationsListUsersCount is the headers of the list of users.
func (h CallManagingOrganisations) CallManagingOrganisationsListUsersCount(ctx context.Context, request gen.CallManagingOrganisationsListUsersCountRequestObject) (gen.CallManagingOrganisationsListUsersCountResponseObject, error) {
	if err := h.mayListUsers(ctx, request.UUID); err != nil {
		return nil, err
	}
	page := pageOf(request.Params.Page, request.Params.PageSize)
	total, err := h.store.CountMembers(ctx, request.UUID, memberFilter(gen.CallManagingOrganisationsListUsersListParams(request.Params)))
	if err != nil {
		return nil, err
	}
	if err := page.Check(total); err != nil {
		return nil, pageErr(err)
	}
	return gen.CallManagingOrganisationsListUsersCount200Response{
		Headers: gen.CallManagingOrganisationsListUsersCount200ResponseHeaders{Link: link(ctx, page, int(total)), XResultCount: int(total)},
	}, nil
}

func (h CallManagingOrganisations) mayListUsers(ctx context.Context, id uuid.UUID) error {
	_, held, err := h.read(ctx, id)()
	if err != nil {
		return organisationErr(err)
	}
	if !access.From(ctx).MayListUsers(held) {
		return forbidden()
	}
	return nil
}

func memberFilter(params gen.CallManagingOrganisationsListUsersListParams) store.MemberFilter {
	f := store.MemberFilter{
		Username: orEmpty(params.Username), FullName: orEmpty(params.FullName), NativeName: orEmpty(params.NativeName),
		UserSlug: orEmpty(params.UserSlug), Role: orEmpty(params.Role), Search: orEmpty(params.SearchString),
	}
	if params.User != nil {
		f.Users = append(f.Users, *params.User)
	}
	if params.UserURL != nil {
		f.Users = append(f.Users, uuidOfURL(*params.UserURL))
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
func (h CallManagingOrganisations) CallManagingOrganisationsAddUser(ctx context.Context, request gen.CallManagingOrganisationsAddUserRequestObject) (gen.CallManagingOrganisationsAddUserResponseObject, error) {
	input := readRole(request.JSONBody)
	err := h.manageRole(ctx, request.UUID, access.PermissionGrantRole, input, func(tx *store.Tx, t roleTarget) error {
		if err := mayGrant(ctx, tx, t, input.expires); err != nil {
			return err
		}
		err := tx.GrantRole(t.user.UUID, t.role.UUID, t.organisation.UUID, input.expires)
		if errors.Is(err, store.ErrAlreadyGranted) {
			return nonField(textAlreadyGranted)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return gen.CallManagingOrganisationsAddUser201JSONResponse{Body: renderExpiration(input.expires)}, nil
}

// mayGrant checks what only concerns new grants, in Waldur's order.
func mayGrant(ctx context.Context, tx *store.Tx, t roleTarget, expires *time.Time) error {
	if !t.user.IsActive && !access.From(ctx).Staff {
		return nonField("Only staff users can assign roles to deactivated users.")
	}
	held, err := tx.HoldsAsLong(ctx, t.user.UUID, t.role.UUID, t.organisation.UUID, expires)
	switch {
	case err != nil:
		return err
	case held:
		return nonField(textAlreadyGranted)
	case t.role.Scope != store.ScopeOrganisation:
		return nonField("Role is not valid for this scope.")
	case !t.role.IsActive:
		return nonField("Role is not active.")
	}
	return nil
}

// CallManagingOrganisationsUpdateUser changes when a user's role ends.
func (h CallManagingOrganisations) CallManagingOrganisationsUpdateUser(ctx context.Context, request gen.CallManagingOrganisationsUpdateUserRequestObject) (gen.CallManagingOrganisationsUpdateUserResponseObject, error) {
	input := readRole((*gen.UserRoleCreateRequest)(request.JSONBody))
	err := h.manageRole(ctx, request.UUID, access.PermissionUpdateRole, input, func(tx *store.Tx, t roleTarget) error {
		err := tx.UpdateGrant(t.user.UUID, t.role.UUID, t.organisation.UUID, input.expires)
		if errors.Is(err, store.ErrNotFound) {
			return nonField("User does not have this role in this scope.")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return gen.CallManagingOrganisationsUpdateUser200JSONResponse{Body: renderExpiration(input.expires)}, nil
}

// CallManagingOrganisationsDeleteUser takes a role from a user; one that is not held is gone
// already.
func (h CallManagingOrganisations) CallManagingOrganisationsDeleteUser(ctx context.Context, request gen.CallManagingOrganisationsDeleteUserRequestObject) (gen.CallManagingOrganisationsDeleteUserResponseObject, error) {
	input := readRole((*gen.UserRoleCreateRequest)(request.JSONBody))
	err := h.manageRole(ctx, request.UUID, access.PermissionRevokeRole, input, func(tx *store.Tx, t roleTarget) error {
		return tx.RevokeRole(t.user.UUID, t.role.UUID, t.organisation.UUID)
	})
	if err != nil {
		return nil, err
	}
	return gen.CallManagingOrganisationsDeleteUser200Response{}, nil
}

// roleInput is the body of the role actions.
type roleInput struct {
	role    string // UUID or name
	user    uuid.UUID
	expires *time.Time // nil: never
}

// readRole reads the body of the three role actions, which are alike.
func readRole(body *gen.UserRoleCreateRequest) roleInput {
	input := roleInput{role: body.Role, user: body.User}
	text, _ := body.ExpirationTime.Get()
	if expires, err := ParseTime(text); err == nil { // neither absent nor null
		input.expires = &expires
	}
	return input
}

// roleTarget is what a role action is about.
type roleTarget struct {
	organisation store.Organisation
	role         store.Role
	user         store.User
}

// manageRole is what the role actions share: it checks everything outside of a transaction,
// then again inside of one, where it changes.
func (h CallManagingOrganisations) manageRole(ctx context.Context, id uuid.UUID, permission string, input roleInput, change func(*store.Tx, roleTarget) error) error {
	if _, err := mayManageRole(ctx, h.store, h.read(ctx, id), permission, input); err != nil {
		return err
	}
	return h.store.Write(ctx, actor(ctx), func(tx *store.Tx) error {
		target, err := mayManageRole(ctx, tx, lock(ctx, tx, id), permission, input)
		if err != nil {
			return err
		}
		return change(tx, target)
	})
}

// roleReader is what mayManageRole reads with.
type roleReader interface {
	Role(ctx context.Context, uuidOrName string) (store.Role, error)
	User(ctx context.Context, id uuid.UUID) (store.User, error)
	Now() time.Time
}

// mayManageRole loads the organisation and checks access, then the fields, then what concerns
// the body as a whole.
func mayManageRole(ctx context.Context, reads roleReader, load loader, permission string, input roleInput) (roleTarget, error) {
	o, held, err := load()
	if err != nil {
		return roleTarget{}, organisationErr(err)
	}
	principal := access.From(ctx)
	allowed, othersOnly := principal.MayManageRole(held, permission)
	if !allowed {
		return roleTarget{}, forbidden()
	}
	target := roleTarget{organisation: o}
	fields := fieldErrors{}
	target.role, err = reads.Role(ctx, input.role)
	if err := fields.addMissing("role", "Role is not found.", err); err != nil {
		return target, err
	}
	target.user, err = reads.User(ctx, input.user)
	if err := fields.addMissing("user", "User is not found.", err); err != nil {
		return target, err
	}
	if input.expires != nil && input.expires.Before(reads.Now()) {
		fields.add("expiration_time", "Expiration time should be greater than current time.")
	}
	switch err := fields.problem(); {
	case err != nil:
		return target, err
	case !o.CustomerAvailable():
		return target, nonField(textNotAvailable)
	case othersOnly && target.user.UUID == principal.UserUUID:
		return target, nonField("User can not manage own role.")
	}
	return target, nil
}
