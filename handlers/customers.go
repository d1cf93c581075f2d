package handlers

import (
	"context"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// Customers are the operations under /api/customers/.
type Customers struct{ store *store.Store }

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
