package handlers

import (
	"context"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// CallManagingOrganisationsListUsersList is a page of the roles granted on an organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsListUsersList(
	ctx context.Context, request gen.CallManagingOrganisationsListUsersListRequestObject,
) (gen.CallManagingOrganisationsListUsersListResponseObject, error) {
	o, err := h.store.Organisation(ctx, request.UUID)
	if err != nil {
		return nil, err
	}
	items, headers, err := listMembers(ctx, h.store, teamOf(o), request.Params)
	return gen.CallManagingOrganisationsListUsersList200JSONResponse{
		Body: items, Headers: gen.CallManagingOrganisationsListUsersList200ResponseHeaders(headers),
	}, err
}

// CallManagingOrganisationsListUsersCount is the headers of the list of users.
func (h CallManagingOrganisations) CallManagingOrganisationsListUsersCount(
	ctx context.Context, request gen.CallManagingOrganisationsListUsersCountRequestObject,
) (gen.CallManagingOrganisationsListUsersCountResponseObject, error) {
	o, err := h.store.Organisation(ctx, request.UUID)
	if err != nil {
		return nil, err
	}
	params := gen.CallManagingOrganisationsListUsersListParams(request.Params)
	headers, err := countMembers(ctx, h.store, teamOf(o), params)
	return gen.CallManagingOrganisationsListUsersCount200Response{
		Headers: gen.CallManagingOrganisationsListUsersCount200ResponseHeaders(headers),
	}, err
}

// CallManagingOrganisationsAddUser grants a role to a user.
func (h CallManagingOrganisations) CallManagingOrganisationsAddUser(
	ctx context.Context, request gen.CallManagingOrganisationsAddUserRequestObject,
) (gen.CallManagingOrganisationsAddUserResponseObject, error) {
	answer, err := h.manageRole(ctx, request.UUID, request.JSONBody, grantRole)
	return gen.CallManagingOrganisationsAddUser201JSONResponse{Body: answer}, err
}

// CallManagingOrganisationsUpdateUser changes when a user's role ends.
func (h CallManagingOrganisations) CallManagingOrganisationsUpdateUser(
	ctx context.Context, request gen.CallManagingOrganisationsUpdateUserRequestObject,
) (gen.CallManagingOrganisationsUpdateUserResponseObject, error) {
	answer, err := h.manageRole(ctx, request.UUID, (*gen.UserRoleCreateRequest)(request.JSONBody), updateRole)
	return gen.CallManagingOrganisationsUpdateUser200JSONResponse{Body: answer}, err
}

// CallManagingOrganisationsDeleteUser revokes a user's role; where it is not held nothing changes.
func (h CallManagingOrganisations) CallManagingOrganisationsDeleteUser(
	ctx context.Context, request gen.CallManagingOrganisationsDeleteUserRequestObject,
) (gen.CallManagingOrganisationsDeleteUserResponseObject, error) {
	_, err := h.manageRole(ctx, request.UUID, (*gen.UserRoleCreateRequest)(request.JSONBody), revokeRole)
	return gen.CallManagingOrganisationsDeleteUser200Response{}, err
}

func (h CallManagingOrganisations) manageRole(
	ctx context.Context, id uuid.UUID, body *gen.UserRoleCreateRequest, action roleAction,
) (gen.UserRoleExpirationTime, error) {
	load := func(tx *store.Tx) (team, error) {
		o, err := tx.LockOrganisation(id)
		return teamOf(o), err
	}
	return manageRole(ctx, h.store, load, body, action)
}
