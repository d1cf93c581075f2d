package handlers

import (
	"context"

	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// Customers are the operations under /api/customers/.
type Customers struct{ store *store.Store }

// CustomersRetrieve is one customer.
func (h Customers) CustomersRetrieve(
	ctx context.Context, request gen.CustomersRetrieveRequestObject,
) (gen.CustomersRetrieveResponseObject, error) {
	c, users, err := h.store.CustomerDetails(ctx, viewer(ctx), request.UUID)
	customer := narrow(render(ctx).customer(c, int(users)), request.Params.Field)
	return gen.CustomersRetrieve200JSONResponse{Body: customer}, err
}

func (r renderer) customer(c store.CustomerDetails, users int) gen.Customer {
	id := c.UUID.String()
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
		UsersCount:                   &users,
		CallManagingOrganizationUUID: orNull(nil),
	}
	if c.OrganisationUUID != nil {
		customer.CallManagingOrganizationUUID = orNull(new(c.OrganisationUUID.String()))
	}
	return customer
}
