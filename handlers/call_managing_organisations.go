package handlers

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
)

// CallManagingOrganisations are the operations under /api/call-managing-organisations/. Those
// on roles are in call_managing_organisations_users.go.
type CallManagingOrganisations struct {
	store  *store.Store
	images images.Limits
}

// CallManagingOrganisationsList is a page of the organisations.
func (h CallManagingOrganisations) CallManagingOrganisationsList(
	ctx context.Context, request gen.CallManagingOrganisationsListRequestObject,
) (gen.CallManagingOrganisationsListResponseObject, error) {
	params := request.Params
	read := func(page store.Page) ([]store.Organisation, int64, error) {
		return h.store.ListOrganisations(ctx, organisationFilter(params), orderOf(params.O), page)
	}
	items, headers, err := list(ctx, params.Page, params.PageSize, read, render(ctx).organisation)
	return gen.CallManagingOrganisationsList200JSONResponse{
		Body: items, Headers: gen.CallManagingOrganisationsList200ResponseHeaders(headers),
	}, err
}

// CallManagingOrganisationsCount is the list's headers.
func (h CallManagingOrganisations) CallManagingOrganisationsCount(
	ctx context.Context, request gen.CallManagingOrganisationsCountRequestObject,
) (gen.CallManagingOrganisationsCountResponseObject, error) {
	params := gen.CallManagingOrganisationsListParams(request.Params)
	total, err := h.store.CountOrganisations(ctx, organisationFilter(params))
	headers, err := count(ctx, params.Page, params.PageSize, total, err)
	return gen.CallManagingOrganisationsCount200Response{
		Headers: gen.CallManagingOrganisationsCount200ResponseHeaders(headers),
	}, err
}

func organisationFilter(params gen.CallManagingOrganisationsListParams) store.OrganisationFilter {
	f := store.OrganisationFilter{Keyword: strings.TrimSpace(valueOf(params.CustomerKeyword))}
	if params.Customer != nil {
		f.Customers = append(f.Customers, uuidOfURL(*params.Customer))
	}
	if params.CustomerUUID != nil {
		f.Customers = append(f.Customers, *params.CustomerUUID)
	}
	return f
}

// CallManagingOrganisationsRetrieve is one organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsRetrieve(
	ctx context.Context, request gen.CallManagingOrganisationsRetrieveRequestObject,
) (gen.CallManagingOrganisationsRetrieveResponseObject, error) {
	o, err := h.store.Organisation(ctx, request.UUID)
	return gen.CallManagingOrganisationsRetrieve200JSONResponse{Body: render(ctx).organisation(o)}, err
}

// CallManagingOrganisationsStatsRetrieve is what goes on in the calls of an organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsStatsRetrieve(
	ctx context.Context, request gen.CallManagingOrganisationsStatsRetrieveRequestObject,
) (gen.CallManagingOrganisationsStatsRetrieveResponseObject, error) {
	stats, err := h.store.Stats(ctx, request.UUID)
	answer := gen.CallManagingOrganisationStat(stats)
	return gen.CallManagingOrganisationsStatsRetrieve200JSONResponse{Body: answer}, err
}

// CallManagingOrganisationsCreate makes a customer an organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsCreate(
	ctx context.Context, request gen.CallManagingOrganisationsCreateRequestObject,
) (gen.CallManagingOrganisationsCreateResponseObject, error) {
	body := request.JSONBody
	image, fields := checkImage(ctx, h.images)
	var created store.Organisation
	load := func(tx *store.Tx) (store.Customer, error) { // an empty one where there is none
		customer, err := tx.LockCustomer(uuidOfURL(body.Customer))
		return customer, fields.addMissing("customer", textNoObject, err)
	}
	apply := func(tx *store.Tx, _ access.Principal, customer store.Customer) (err error) {
		switch {
		case len(fields) > 0:
			return fields.problem()
		case !customer.Available():
			return NonField(textNotAvailable)
		}
		created, err = tx.CreateOrganisation(customer, valueOf(body.Description), image)
		return err
	}
	err := change(ctx, h.store, load, mayCreate(ctx, fields), apply)
	answer := render(ctx).organisation(created)
	return gen.CallManagingOrganisationsCreate201JSONResponse{
		Body: answer, Headers: gen.CallManagingOrganisationsCreate201ResponseHeaders{Location: answer.URL},
	}, err
}

// mayCreate checks that the principal may make a customer an organisation, and adds that it is one
// already. Before that, users who are not staff are told of an unknown customer, and of nothing else.
func mayCreate(ctx context.Context, fields fieldErrors) func(*store.Tx, access.Principal, store.Customer) error {
	return func(tx *store.Tx, p access.Principal, customer store.Customer) error {
		if customer.UUID == uuid.Nil {
			if p.Staff {
				return nil
			}
			return fieldErrors{"customer": fields["customer"]}.problem()
		}
		held, err := tx.HeldRoles(ctx, p.UserUUID, customer.UUID, uuid.Nil)
		if err != nil {
			return err
		}
		if !p.MayCreate(held) {
			return forbidden()
		}
		exists, err := tx.HasOrganisation(ctx, customer.UUID)
		if exists {
			fields.add("customer", "Call managing organisation with this customer already exists.")
		}
		return err
	}
}

// CallManagingOrganisationsUpdate replaces what the body names of an organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsUpdate(
	ctx context.Context, request gen.CallManagingOrganisationsUpdateRequestObject,
) (gen.CallManagingOrganisationsUpdateResponseObject, error) {
	body := request.JSONBody
	customer := uuidOfURL(body.Customer)
	update := store.OrganisationChange{Description: body.Description, ClearImage: body.Image.IsSpecified()}
	answer, err := h.update(ctx, request.UUID, update, &customer)
	return gen.CallManagingOrganisationsUpdate200JSONResponse{Body: answer}, err
}

// CallManagingOrganisationsPartialUpdate changes what the body names of an organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsPartialUpdate(
	ctx context.Context, request gen.CallManagingOrganisationsPartialUpdateRequestObject,
) (gen.CallManagingOrganisationsPartialUpdateResponseObject, error) {
	var update store.OrganisationChange
	if body := request.JSONBody; body != nil {
		update = store.OrganisationChange{Description: body.Description, ClearImage: body.Image.IsSpecified()}
	}
	answer, err := h.update(ctx, request.UUID, update, nil)
	return gen.CallManagingOrganisationsPartialUpdate200JSONResponse{Body: answer}, err
}

// update changes an organisation, whose customer must be the one that is named, if one is.
func (h CallManagingOrganisations) update(
	ctx context.Context, id uuid.UUID, update store.OrganisationChange, customer *uuid.UUID,
) (gen.CallManagingOrganisation, error) {
	image, fields := checkImage(ctx, h.images)
	update.Image = image
	var changed store.Organisation
	apply := func(tx *store.Tx, _ access.Principal, o store.Organisation) error {
		if customer != nil && *customer != o.CustomerUUID {
			_, err := tx.Customer(ctx, *customer)
			if err == nil {
				fields.add("customer", "The customer of an organisation can't be changed.")
			}
			if err := fields.addMissing("customer", textNoObject, err); err != nil {
				return err
			}
		}
		err := fields.problem()
		if err == nil {
			changed, err = tx.UpdateOrganisation(o, update)
		}
		return err
	}
	err := h.change(ctx, id, access.Principal.MayChange, apply)
	return render(ctx).organisation(changed), err
}

// CallManagingOrganisationsDestroy deletes an organisation without calls.
func (h CallManagingOrganisations) CallManagingOrganisationsDestroy(
	ctx context.Context, request gen.CallManagingOrganisationsDestroyRequestObject,
) (gen.CallManagingOrganisationsDestroyResponseObject, error) {
	apply := func(tx *store.Tx, _ access.Principal, o store.Organisation) error { return tx.DeleteOrganisation(o) }
	err := h.change(ctx, request.UUID, access.Principal.MayChange, apply)
	if errors.Is(err, store.ErrHasCalls) {
		err = Refuse(http.StatusBadRequest,
			"Cannot delete this call manager as there are existing connected calls or user permissions.")
	}
	return gen.CallManagingOrganisationsDestroy204Response{}, err
}

// change changes an organisation where the rule allows it.
func (h CallManagingOrganisations) change(
	ctx context.Context, id uuid.UUID, allows rule,
	apply func(*store.Tx, access.Principal, store.Organisation) error,
) error {
	load := func(tx *store.Tx) (store.Organisation, error) { return tx.LockOrganisation(id) }
	may := func(tx *store.Tx, p access.Principal, o store.Organisation) error {
		return checkRule(ctx, tx, p, teamOf(o), allows)
	}
	return change(ctx, h.store, load, may, apply)
}
