package handlers

import (
	"context"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// Users are who may sign in.
type Users struct {
	store *store.Store
}

// UsersList lists the users that the caller sees.
func (h Users) UsersList(
	ctx context.Context, request gen.UsersListRequestObject,
) (gen.UsersListResponseObject, error) {
	params := request.Params
	read := func(page store.Page) ([]store.UserDetails, int64, error) {
		return h.store.ListUsers(ctx, viewer(ctx), userFilter(params), orderOf(params.O), page)
	}
	user := func(u store.UserDetails) gen.User { return narrow(render(ctx).user(ctx, u), params.Field) }
	items, headers, err := list(ctx, params.Page, params.PageSize, read, user)
	return gen.UsersList200JSONResponse{Body: items, Headers: gen.UsersList200ResponseHeaders(headers)}, err
}

// UsersCount answers HEAD of the list.
func (h Users) UsersCount(
	ctx context.Context, request gen.UsersCountRequestObject,
) (gen.UsersCountResponseObject, error) {
	params := gen.UsersListParams(request.Params)
	total, err := h.store.CountUsers(ctx, viewer(ctx), userFilter(params))
	headers, err := count(ctx, params.Page, params.PageSize, total, err)
	return gen.UsersCount200Response{Headers: gen.UsersCount200ResponseHeaders(headers)}, err
}

func userFilter(params gen.UsersListParams) store.UserFilter {
	f := store.UserFilter{
		Username: valueOf(params.Username), FullName: valueOf(params.FullName), NativeName: valueOf(params.NativeName),
		Email: valueOf(params.Email), Keywords: []string{valueOf(params.UserKeyword), valueOf(params.Query)},
		IsActive: params.IsActive, IsStaff: params.IsStaff, IsSupport: params.IsSupport,
	}
	if params.CustomerUUID != nil {
		f.Customer = *params.CustomerUUID
	}
	return f
}

// UsersMeRetrieve answers who sent the request.
func (h Users) UsersMeRetrieve(
	ctx context.Context, request gen.UsersMeRetrieveRequestObject,
) (gen.UsersMeRetrieveResponseObject, error) {
	u, err := h.retrieve(ctx, access.From(ctx).UserUUID)
	return gen.UsersMeRetrieve200JSONResponse{Body: narrow(u, request.Params.Field)}, err
}

// UsersRetrieve answers one user.
func (h Users) UsersRetrieve(
	ctx context.Context, request gen.UsersRetrieveRequestObject,
) (gen.UsersRetrieveResponseObject, error) {
	u, err := h.retrieve(ctx, request.UUID)
	return gen.UsersRetrieve200JSONResponse{Body: narrow(u, request.Params.Field)}, err
}

func (h Users) retrieve(ctx context.Context, id uuid.UUID) (gen.User, error) {
	u, err := h.store.UserDetails(ctx, viewer(ctx), id)
	return render(ctx).user(ctx, u), err
}

// viewer is for whom the request reads users.
func viewer(ctx context.Context) store.Viewer {
	p := access.From(ctx)
	return store.Viewer{UserUUID: p.UserUUID, All: p.SeesAll()}
}

// user renders a user as the caller sees them.
func (r renderer) user(ctx context.Context, u store.UserDetails) gen.User {
	principal, id := access.From(ctx), u.UUID.String()
	user := gen.User{
		URL:           new(r.url("/api/users/", id)),
		UUID:          &id,
		Username:      &u.Username,
		Slug:          &u.Slug,
		FullName:      &u.FullName,
		FirstName:     &u.FirstName,
		LastName:      &u.LastName,
		NativeName:    &u.NativeName,
		Image:         orNull(r.image(u.ImageUUID)),
		DateJoined:    new(FormatTime(u.Created)),
		AgreementDate: new(FormatTime(u.Created)),
		Permissions:   &[]gen.Permission{},
	}
	if u.Managed && u.Email != "" {
		user.Email = &u.Email
	}
	if principal.SeesAll() {
		user.IsStaff, user.IsSupport, user.IsActive = &u.IsStaff, &u.IsSupport, &u.IsActive
	}
	if u.UUID == principal.UserUUID {
		user.Token = &RequestFrom(ctx).Token
		user.TokenExpiresAt = orNull(formatEnd(principal.TokenExpires))
	}
	for _, p := range u.Permissions {
		*user.Permissions = append(*user.Permissions, permission(u, p))
	}
	return user
}

// scopeTypes are Waldur's names of the scopes.
var scopeTypes = map[store.Scope]string{
	store.ScopeCustomer:     "customer",
	store.ScopeOrganisation: "call_organizer",
}

func permission(u store.UserDetails, p store.Permission) gen.Permission {
	return gen.Permission{
		UserUUID:          u.UUID.String(),
		UserName:          u.FullName,
		UserSlug:          u.Slug,
		Created:           FormatTime(p.Created),
		ExpirationTime:    formatEnd(p.ExpirationTime),
		CreatedByFullName: p.CreatedByFullName,
		CreatedByUsername: p.CreatedByUsername,
		RoleName:          p.RoleName,
		RoleDescription:   p.RoleDescription,
		RoleUUID:          p.RoleUUID.String(),
		ScopeType:         scopeTypes[p.Scope],
		ScopeUUID:         p.ScopeUUID.String(),
		ScopeName:         p.CustomerName,
		CustomerUUID:      p.CustomerUUID.String(),
		CustomerName:      p.CustomerName,
	}
}
