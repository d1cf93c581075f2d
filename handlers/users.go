package handlers

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
)

// Users are who may sign in.
type Users struct {
	store  *store.Store
	images images.Limits
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

// UsersCreate makes a user, who has no password yet.
func (h Users) UsersCreate(
	ctx context.Context, request gen.UsersCreateRequestObject,
) (gen.UsersCreateResponseObject, error) {
	body := request.JSONBody
	image, fields := checkImage(ctx, h.images)
	user := store.User{
		Username: body.Username, Email: body.Email, Slug: valueOf(body.Slug),
		FirstName: valueOf(body.FirstName), LastName: valueOf(body.LastName), NativeName: valueOf(body.NativeName),
		IsStaff: valueOf(body.IsStaff), IsSupport: valueOf(body.IsSupport),
		IsActive: body.IsActive == nil || *body.IsActive,
	}
	var created store.UserDetails
	load := func(*store.Tx) (struct{}, error) { return struct{}{}, nil }
	may := func(_ *store.Tx, p access.Principal, _ struct{}) error {
		if !p.MayCreateUsers() {
			return forbidden()
		}
		return nil
	}
	apply := func(tx *store.Tx, _ access.Principal, _ struct{}) error {
		made, err := tx.CreateUser(user, image)
		var taken *store.UniqueError
		if errors.As(err, &taken) { // the username is all that can be
			fields.add("username", "user with this username already exists.")
			err = nil
		}
		if err == nil {
			err = fields.problem() // which rolls back
		}
		if err == nil {
			created, err = tx.UserDetails(ctx, viewer(ctx), made.UUID)
		}
		return err
	}
	err := change(ctx, h.store, load, may, apply)
	answer := render(ctx).user(ctx, created)
	return gen.UsersCreate201JSONResponse{
		Body: answer, Headers: gen.UsersCreate201ResponseHeaders{Location: *answer.URL},
	}, err
}

// UsersPartialUpdate changes what the body names of a user.
func (h Users) UsersPartialUpdate(
	ctx context.Context, request gen.UsersPartialUpdateRequestObject,
) (gen.UsersPartialUpdateResponseObject, error) {
	image, fields := checkImage(ctx, h.images)
	var update store.UserChange
	if body := request.JSONBody; body != nil {
		update = store.UserChange{
			Slug: body.Slug, FirstName: body.FirstName, LastName: body.LastName, NativeName: body.NativeName,
			IsStaff: body.IsStaff, IsSupport: body.IsSupport, IsActive: body.IsActive,
			ClearImage: body.Image.IsSpecified(),
		}
	}
	update.Image = image
	var changed store.UserDetails
	load := func(tx *store.Tx) (store.User, error) { return tx.LockUser(request.UUID) }
	may := func(tx *store.Tx, p access.Principal, u store.User) error {
		if p.MayChangeUser(u.UUID) {
			return nil
		}
		_, err := tx.UserDetails(ctx, viewer(ctx), u.UUID) // one that is not seen is a 404
		if err == nil {
			err = forbidden()
		}
		return err
	}
	apply := func(tx *store.Tx, p access.Principal, u store.User) error {
		if !p.Staff {
			refuseForStaff(fields, "slug", update.Slug, u.Slug)
			refuseForStaff(fields, "is_staff", update.IsStaff, u.IsStaff)
			refuseForStaff(fields, "is_support", update.IsSupport, u.IsSupport)
			refuseForStaff(fields, "is_active", update.IsActive, u.IsActive)
		}
		err := fields.problem()
		if err == nil {
			err = tx.UpdateUser(u, update)
		}
		if err == nil {
			changed, err = tx.UserDetails(ctx, viewer(ctx), u.UUID)
		}
		return err
	}
	err := change(ctx, h.store, load, may, apply)
	return gen.UsersPartialUpdate200JSONResponse{Body: render(ctx).user(ctx, changed)}, err
}

// refuseForStaff adds that staff alone change the field, unless the body has the value that is there already.
func refuseForStaff[T comparable](fields fieldErrors, name string, sent *T, is T) {
	if sent != nil && *sent != is {
		fields.add(name, "Only staff can change this field.")
	}
}

// viewer is for whom the request reads users and customers.
func viewer(ctx context.Context) store.Viewer { return viewerOf(access.From(ctx)) }

func viewerOf(p access.Principal) store.Viewer {
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
