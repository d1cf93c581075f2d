package handlers

import (
	"context"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

func teamOfCustomer(c store.Customer) team { return team{c.Scope(), c.UUID, uuid.Nil, c.Available()} }

// CustomersListUsersList is a page of the roles granted on a customer.
func (h Customers) CustomersListUsersList(
	ctx context.Context, request gen.CustomersListUsersListRequestObject,
) (gen.CustomersListUsersListResponseObject, error) {
	c, err := h.store.Customer(ctx, request.UUID)
	if err != nil {
		return nil, err
	}
	params := gen.CallManagingOrganisationsListUsersListParams(request.Params)
	items, headers, err := listMembers(ctx, h.store, teamOfCustomer(c), params)
	return gen.CustomersListUsersList200JSONResponse{
		Body: items, Headers: gen.CustomersListUsersList200ResponseHeaders(headers),
	}, err
}

// CustomersListUsersCount is the headers of the list of roles.
func (h Customers) CustomersListUsersCount(
	ctx context.Context, request gen.CustomersListUsersCountRequestObject,
) (gen.CustomersListUsersCountResponseObject, error) {
	c, err := h.store.Customer(ctx, request.UUID)
	if err != nil {
		return nil, err
	}
	params := gen.CallManagingOrganisationsListUsersListParams(request.Params)
	headers, err := countMembers(ctx, h.store, teamOfCustomer(c), params)
	return gen.CustomersListUsersCount200Response{
		Headers: gen.CustomersListUsersCount200ResponseHeaders(headers),
	}, err
}

// CustomersUsersList is a page of the users who hold a role on a customer.
func (h Customers) CustomersUsersList(
	ctx context.Context, request gen.CustomersUsersListRequestObject,
) (gen.CustomersUsersListResponseObject, error) {
	params := request.Params
	filter, err := h.userFilter(ctx, request.CustomerUUID, params)
	if err != nil {
		return nil, err
	}
	var order []store.Ordering
	if params.O != nil {
		order = orderOf([]gen.CustomerUserOEnum{*params.O})
	}
	on := store.ScopeOf{Kind: store.ScopeCustomer, UUID: request.CustomerUUID}
	read := func(page store.Page) ([]store.Member, int64, error) {
		return h.store.ListMembers(ctx, on, filter, order, page)
	}
	user := func(m store.Member) gen.CustomerUser {
		return narrow(render(ctx).customerUser(m, filter.EmailsOf), params.Field)
	}
	items, headers, err := list(ctx, params.Page, params.PageSize, read, user)
	return gen.CustomersUsersList200JSONResponse{
		Body: items, Headers: gen.CustomersUsersList200ResponseHeaders(headers),
	}, err
}

// CustomersUsersCount is the headers of the list of users.
func (h Customers) CustomersUsersCount(
	ctx context.Context, request gen.CustomersUsersCountRequestObject,
) (gen.CustomersUsersCountResponseObject, error) {
	params := gen.CustomersUsersListParams(request.Params)
	filter, err := h.userFilter(ctx, request.CustomerUUID, params)
	if err != nil {
		return nil, err
	}
	on := store.ScopeOf{Kind: store.ScopeCustomer, UUID: request.CustomerUUID}
	total, err := h.store.CountMembers(ctx, on, filter)
	headers, err := count(ctx, params.Page, params.PageSize, total, err)
	return gen.CustomersUsersCount200Response{Headers: gen.CustomersUsersCount200ResponseHeaders(headers)}, err
}

// userFilter checks that the caller may list the users of a customer, and returns which of them.
func (h Customers) userFilter(
	ctx context.Context, customer uuid.UUID, params gen.CustomersUsersListParams,
) (store.MemberFilter, error) {
	c, err := h.store.Customer(ctx, customer)
	if err != nil {
		return store.MemberFilter{}, err
	}
	emailsOf, err := mayList(ctx, h.store, teamOfCustomer(c))
	return store.MemberFilter{
		PerUser: true, FullName: valueOf(params.FullName), Username: valueOf(params.Username), Email: valueOf(params.Email),
		Keyword: valueOf(params.UserKeyword), IsActive: params.IsActive, EmailsOf: emailsOf,
	}, err
}

func (r renderer) customerUser(m store.Member, emailsOf uuid.UUID) gen.CustomerUser {
	id := m.UserUUID.String()
	user := gen.CustomerUser{
		URL:            new(r.url("/api/users/", id)),
		UUID:           &id,
		Username:       &m.UserUsername,
		FullName:       &m.UserFullName,
		Image:          orNull(r.image(m.UserImageUUID)),
		RoleName:       &m.RoleName,
		ExpirationTime: orNull(formatEnd(m.ExpirationTime)),
	}
	if m.UserEmail != "" {
		user.Email = emailOf(m, emailsOf)
	}
	return user
}

// CustomersAddUser grants a role to a user.
func (h Customers) CustomersAddUser(
	ctx context.Context, request gen.CustomersAddUserRequestObject,
) (gen.CustomersAddUserResponseObject, error) {
	answer, err := h.manageRole(ctx, request.UUID, request.JSONBody, grantRole)
	return gen.CustomersAddUser201JSONResponse{Body: answer}, err
}

// CustomersUpdateUser changes when a user's role ends.
func (h Customers) CustomersUpdateUser(
	ctx context.Context, request gen.CustomersUpdateUserRequestObject,
) (gen.CustomersUpdateUserResponseObject, error) {
	answer, err := h.manageRole(ctx, request.UUID, (*gen.UserRoleCreateRequest)(request.JSONBody), updateRole)
	return gen.CustomersUpdateUser200JSONResponse{Body: answer}, err
}

// CustomersDeleteUser revokes a user's role; where it is not held nothing changes.
func (h Customers) CustomersDeleteUser(
	ctx context.Context, request gen.CustomersDeleteUserRequestObject,
) (gen.CustomersDeleteUserResponseObject, error) {
	_, err := h.manageRole(ctx, request.UUID, (*gen.UserRoleCreateRequest)(request.JSONBody), revokeRole)
	return gen.CustomersDeleteUser200Response{}, err
}

func (h Customers) manageRole(
	ctx context.Context, id uuid.UUID, body *gen.UserRoleCreateRequest, action roleAction,
) (gen.UserRoleExpirationTime, error) {
	load := func(tx *store.Tx) (team, error) {
		c, err := tx.LockCustomer(id)
		return teamOfCustomer(c), err
	}
	return manageRole(ctx, h.store, load, body, action)
}
