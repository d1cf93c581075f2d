package handlers

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
)

// Customers are the operations under /api/customers/.
type Customers struct {
	store  *store.Store
	images images.Limits
}

// CustomersList lists the customers that the caller sees.
func (h Customers) CustomersList(
	ctx context.Context, request gen.CustomersListRequestObject,
) (gen.CustomersListResponseObject, error) {
	params := request.Params
	read := func(page store.Page) ([]store.CustomerDetails, int64, error) {
		return h.store.ListCustomers(ctx, viewer(ctx), customerFilter(ctx, params), orderOf(params.O), page)
	}
	customer := func(c store.CustomerDetails) gen.Customer { return narrow(render(ctx).customer(c), params.Field) }
	items, headers, err := list(ctx, params.Page, params.PageSize, read, customer)
	return gen.CustomersList200JSONResponse{Body: items, Headers: gen.CustomersList200ResponseHeaders(headers)}, err
}

// CustomersCount answers HEAD of the list.
func (h Customers) CustomersCount(
	ctx context.Context, request gen.CustomersCountRequestObject,
) (gen.CustomersCountResponseObject, error) {
	params := gen.CustomersListParams(request.Params)
	total, err := h.store.CountCustomers(ctx, viewer(ctx), customerFilter(ctx, params))
	headers, err := count(ctx, params.Page, params.PageSize, total, err)
	return gen.CustomersCount200Response{Headers: gen.CustomersCount200ResponseHeaders(headers)}, err
}

func customerFilter(ctx context.Context, params gen.CustomersListParams) store.CustomerFilter {
	f := store.CustomerFilter{
		Name: valueOf(params.Name), NameExact: valueOf(params.NameExact), Abbreviation: valueOf(params.Abbreviation),
		NativeName: valueOf(params.NativeName), Keyword: valueOf(params.Query), Archived: params.Archived,
		Holder: valueOf(params.UserUUID),
	}
	if valueOf(params.OwnedByCurrentUser) {
		f.Owner, f.OwnerRole = access.From(ctx).UserUUID, access.RoleCustomerOwner
	}
	return f
}

// CustomersRetrieve is one customer.
func (h Customers) CustomersRetrieve(
	ctx context.Context, request gen.CustomersRetrieveRequestObject,
) (gen.CustomersRetrieveResponseObject, error) {
	c, err := h.store.CustomerDetails(ctx, viewer(ctx), request.UUID)
	customer := narrow(render(ctx).customer(c), request.Params.Field)
	return gen.CustomersRetrieve200JSONResponse{Body: customer}, err
}

// CustomersCreate makes a customer.
func (h Customers) CustomersCreate(
	ctx context.Context, request gen.CustomersCreateRequestObject,
) (gen.CustomersCreateResponseObject, error) {
	body := request.JSONBody
	image, fields := checkImage(ctx, h.images)
	customer := store.Customer{
		Name: body.Name, NativeName: valueOf(body.NativeName), Abbreviation: valueOf(body.Abbreviation),
		Country: valueOf(body.Country), Blocked: valueOf(body.Blocked), Archived: valueOf(body.Archived),
	}
	var created store.CustomerDetails
	load := func(*store.Tx) (store.Customer, error) { return customer, nil }
	may := func(_ *store.Tx, p access.Principal, _ store.Customer) error {
		if !p.MayManageCustomers() {
			return forbidden()
		}
		return nil
	}
	apply := func(tx *store.Tx, p access.Principal, c store.Customer) error {
		err := fields.problem()
		if err == nil {
			c, err = tx.CreateCustomer(c, image)
		}
		if err == nil {
			created, err = tx.CustomerDetails(ctx, viewerOf(p), c.UUID)
		}
		return err
	}
	err := change(ctx, h.store, load, may, apply)
	answer := render(ctx).customer(created)
	return gen.CustomersCreate201JSONResponse{
		Body: answer, Headers: gen.CustomersCreate201ResponseHeaders{Location: *answer.URL},
	}, err
}

// CustomersUpdate changes the name of a customer and what else the body names.
func (h Customers) CustomersUpdate(
	ctx context.Context, request gen.CustomersUpdateRequestObject,
) (gen.CustomersUpdateResponseObject, error) {
	body := request.JSONBody
	answer, err := h.update(ctx, request.UUID, store.CustomerChange{
		Name: &body.Name, NativeName: body.NativeName, Abbreviation: body.Abbreviation, Country: body.Country,
		Blocked: body.Blocked, Archived: body.Archived, ClearImage: body.Image.IsSpecified(),
	})
	return gen.CustomersUpdate200JSONResponse{Body: answer}, err
}

// CustomersPartialUpdate changes what the body names of a customer.
func (h Customers) CustomersPartialUpdate(
	ctx context.Context, request gen.CustomersPartialUpdateRequestObject,
) (gen.CustomersPartialUpdateResponseObject, error) {
	var update store.CustomerChange
	if body := request.JSONBody; body != nil {
		update = store.CustomerChange{
			Name: body.Name, NativeName: body.NativeName, Abbreviation: body.Abbreviation, Country: body.Country,
			Blocked: body.Blocked, Archived: body.Archived, ClearImage: body.Image.IsSpecified(),
		}
	}
	answer, err := h.update(ctx, request.UUID, update)
	return gen.CustomersPartialUpdate200JSONResponse{Body: answer}, err
}

func (h Customers) update(ctx context.Context, id uuid.UUID, update store.CustomerChange) (gen.Customer, error) {
	image, fields := checkImage(ctx, h.images)
	update.Image = image
	var changed store.CustomerDetails
	apply := func(tx *store.Tx, p access.Principal, c store.Customer) error {
		if !p.MayManageCustomers() {
			refuseForStaff(fields, "blocked", update.Blocked, c.Blocked)
			refuseForStaff(fields, "archived", update.Archived, c.Archived)
		}
		err := fields.problem()
		if err == nil {
			err = tx.UpdateCustomer(c, update)
		}
		if err == nil {
			changed, err = tx.CustomerDetails(ctx, viewerOf(p), id)
		}
		return err
	}
	err := h.change(ctx, id, access.Principal.MayChange, apply)
	return render(ctx).customer(changed), err
}

// CustomersDestroy deletes a customer without an organisation.
func (h Customers) CustomersDestroy(
	ctx context.Context, request gen.CustomersDestroyRequestObject,
) (gen.CustomersDestroyResponseObject, error) {
	allows := func(p access.Principal, _ []store.HeldRole) bool { return p.MayManageCustomers() }
	apply := func(tx *store.Tx, _ access.Principal, c store.Customer) error { return tx.DeleteCustomer(c) }
	err := h.change(ctx, request.UUID, allows, apply)
	if errors.Is(err, store.ErrHasOrganisation) {
		err = Refuse(http.StatusBadRequest, "Cannot delete customer with existing call managing organisation.")
	}
	return gen.CustomersDestroy204Response{}, err
}

// change changes a customer where the rule allows it. One that the principal doesn't see is a 404.
func (h Customers) change(
	ctx context.Context, id uuid.UUID, allows rule, apply func(*store.Tx, access.Principal, store.Customer) error,
) error {
	load := func(tx *store.Tx) (store.Customer, error) { return tx.LockCustomer(id) }
	may := func(tx *store.Tx, p access.Principal, c store.Customer) error {
		return checkRule(ctx, tx, p, teamOfCustomer(c), allows)
	}
	return change(ctx, h.store, load, may, apply)
}

func (r renderer) customer(details store.CustomerDetails) gen.Customer {
	c, id := details.Row, details.Row.UUID.String()
	customer := gen.Customer{
		URL:                          new(r.url("/api/customers/", id)),
		UUID:                         &id,
		Created:                      new(FormatTime(c.Created)),
		Name:                         &c.Name,
		NativeName:                   &c.NativeName,
		Abbreviation:                 &c.Abbreviation,
		Country:                      &c.Country,
		Image:                        orNull(r.image(c.ImageUUID)),
		Blocked:                      &c.Blocked,
		Archived:                     &c.Archived,
		UsersCount:                   &details.Users,
		CallManagingOrganizationUUID: orNull(nil),
		OrganizationGroups:           &[]gen.OrganizationGroup{},
	}
	if c.OrganisationUUID != nil {
		customer.CallManagingOrganizationUUID = orNull(new(c.OrganisationUUID.String()))
	}
	return customer
}
