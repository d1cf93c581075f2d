package handlers

import (
	"context"
	"strings"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// Roles are the operations under /api/roles/.
type Roles struct{ store *store.Store }

// RolesList is a page of the roles.
func (h Roles) RolesList(
	ctx context.Context, request gen.RolesListRequestObject,
) (gen.RolesListResponseObject, error) {
	params := request.Params
	read := func(page store.Page) ([]store.RoleDetails, int64, error) {
		return h.store.ListRoles(ctx, roleFilter(params), page)
	}
	show := func(r store.RoleDetails) gen.RoleDetails { return narrow(render(ctx).role(r), params.Field) }
	items, headers, err := list(ctx, params.Page, params.PageSize, read, show)
	return gen.RolesList200JSONResponse{Body: items, Headers: gen.RolesList200ResponseHeaders(headers)}, err
}

// RolesCount is the list's headers.
func (h Roles) RolesCount(
	ctx context.Context, request gen.RolesCountRequestObject,
) (gen.RolesCountResponseObject, error) {
	params := gen.RolesListParams(request.Params)
	total, err := h.store.CountRoles(ctx, roleFilter(params))
	headers, err := count(ctx, params.Page, params.PageSize, total, err)
	return gen.RolesCount200Response{Headers: gen.RolesCount200ResponseHeaders(headers)}, err
}

func roleFilter(params gen.RolesListParams) store.RoleFilter {
	return store.RoleFilter{
		Name: valueOf(params.Name), Description: valueOf(params.Description), IsActive: params.IsActive,
	}
}

// RolesRetrieve is one role.
func (h Roles) RolesRetrieve(
	ctx context.Context, request gen.RolesRetrieveRequestObject,
) (gen.RolesRetrieveResponseObject, error) {
	r, err := h.store.RoleDetails(ctx, request.UUID)
	return gen.RolesRetrieve200JSONResponse{Body: narrow(render(ctx).role(r), request.Params.Field)}, err
}

func (r renderer) role(role store.RoleDetails) gen.RoleDetails {
	permissions := []string{}
	if role.Permissions != "" {
		permissions = strings.Split(role.Permissions, ",")
	}
	return gen.RoleDetails{
		UUID:        new(role.UUID.String()),
		Name:        &role.Name,
		Description: &role.Description,
		Permissions: &permissions,
		IsActive:    &role.IsActive,
		ContentType: new(scopeTypes[role.Scope]),
	}
}
