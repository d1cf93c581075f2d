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
func (h CallManagingOrganisations) CallManagingOrganisationsList(ctx context.Context, request gen.CallManagingOrganisationsListRequestObject) (gen.CallManagingOrganisationsListResponseObject, error) {
	page := pageOf(request.Params.Page, request.Params.PageSize)
	list, total, err := h.store.ListOrganisations(ctx, organisationFilter(request.Params), orderOf(request.Params.O), page)
	if err != nil {
		return nil, pageErr(err)
	}
	return organisationList{
		origin:  RequestFrom(ctx).Origin,
		list:    list,
		headers: gen.CallManagingOrganisationsList200ResponseHeaders{Link: link(ctx, page, int(total)), XResultCount: int(total)},
	}, nil
}

// CallManagingOrganisationsCount is the list's headers.
func (h CallManagingOrganisations) CallManagingOrganisationsCount(ctx context.Context, request gen.CallManagingOrganisationsCountRequestObject) (gen.CallManagingOrganisationsCountResponseObject, error) {
	page := pageOf(request.Params.Page, request.Params.PageSize)
	total, err := h.store.CountOrganisations(ctx, organisationFilter(gen.CallManagingOrganisationsListParams(request.Params)))
	if err != nil {
		return nil, err
	}
	if err := page.Check(total); err != nil {
		return nil, pageErr(err)
	}
	return gen.CallManagingOrganisationsCount200Response{
		Headers: gen.CallManagingOrganisationsCount200ResponseHeaders{Link: link(ctx, page, int(total)), XResultCount: int(total)},
	}, nil
}

func organisationFilter(params gen.CallManagingOrganisationsListParams) store.OrganisationFilter {
	var f store.OrganisationFilter
	if params.Customer != nil {
		f.Customers = append(f.Customers, uuidOfURL(*params.Customer))
	}
	if params.CustomerUUID != nil {
		f.Customers = append(f.Customers, *params.CustomerUUID)
	}
	if params.CustomerKeyword != nil {
		f.Keyword = strings.TrimSpace(*params.CustomerKeyword)
	}
	return f
}

// CallManagingOrganisationsRetrieve is one organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsRetrieve(ctx context.Context, request gen.CallManagingOrganisationsRetrieveRequestObject) (gen.CallManagingOrganisationsRetrieveResponseObject, error) {
	o, err := h.store.Organisation(ctx, request.UUID)
	if err != nil {
		return nil, organisationErr(err)
	}
	return organisationAnswer{RequestFrom(ctx).Origin, o}, nil
}

// CallManagingOrganisationsStatsRetrieve is what goes on in the calls of an organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsStatsRetrieve(ctx context.Context, request gen.CallManagingOrganisationsStatsRetrieveRequestObject) (gen.CallManagingOrganisationsStatsRetrieveResponseObject, error) {
	stats, err := h.store.Stats(ctx, request.UUID)
	if err != nil {
		return nil, organisationErr(err)
	}
	return gen.CallManagingOrganisationsStatsRetrieve200JSONResponse{Body: renderStats(stats)}, nil
}

// CallManagingOrganisationsCreate makes a customer an organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsCreate(ctx context.Context, request gen.CallManagingOrganisationsCreateRequestObject) (gen.CallManagingOrganisationsCreateResponseObject, error) {
	input := readOrganisation(ctx, request.JSONBody)
	customer, fields, err := mayCreate(ctx, h.store, h.store.Customer, *input.customer)
	if err != nil {
		return nil, err
	}
	image := input.checkImage(h.images, fields)
	if err := createProblem(customer, fields); err != nil {
		return nil, err
	}
	var o store.Organisation
	err = h.store.Write(ctx, actor(ctx), func(tx *store.Tx) error {
		locked := func(_ context.Context, id uuid.UUID) (store.Customer, error) { return tx.LockCustomer(id) }
		customer, fields, err := mayCreate(ctx, tx, locked, *input.customer)
		if err != nil {
			return err
		}
		if err := createProblem(customer, fields); err != nil {
			return err
		}
		o, err = tx.CreateOrganisation(customer, input.description(), image)
		return err
	})
	var duplicate *store.ErrUnique
	if errors.As(err, &duplicate) && duplicate.Constraint == "call_managing_organisations_customer_uuid_key" {
		return nil, fieldErrors{"customer": {textHasOrganisation}}.problem()
	}
	if err != nil {
		return nil, err
	}
	return organisationAnswer{RequestFrom(ctx).Origin, o}, nil
}

// mayCreate loads the customer, checks that the principal may make it an organisation, and
// collects what is wrong with it. An unknown customer comes before the missing permission,
// and only staff are told more than that.
func mayCreate(ctx context.Context, reads createReader, load func(context.Context, uuid.UUID) (store.Customer, error), id uuid.UUID) (store.Customer, fieldErrors, error) {
	fields := fieldErrors{}
	principal := access.From(ctx)
	customer, err := load(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		fields.add("customer", textNoObject)
		if principal.Staff {
			return customer, fields, nil
		}
		return customer, nil, fields.problem()
	}
	if err != nil {
		return customer, nil, err
	}
	held, err := reads.HeldRoles(ctx, principal.UserUUID, customer.UUID, uuid.Nil)
	if err != nil {
		return customer, nil, err
	}
	if !principal.MayCreate(held) {
		return customer, nil, forbidden()
	}
	exists, err := reads.HasOrganisation(ctx, customer.UUID)
	if exists {
		fields.add("customer", textHasOrganisation)
	}
	return customer, fields, err
}

// createProblem is the 400 of a create: its fields, or else what concerns the whole body.
func createProblem(customer store.Customer, fields fieldErrors) error {
	if err := fields.problem(); err != nil {
		return err
	}
	if !customer.Available() {
		return nonField(textNotAvailable)
	}
	return nil
}

// CallManagingOrganisationsUpdate replaces what the body names of an organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsUpdate(ctx context.Context, request gen.CallManagingOrganisationsUpdateRequestObject) (gen.CallManagingOrganisationsUpdateResponseObject, error) {
	input := readOrganisation(ctx, request.JSONBody)
	o, err := h.update(ctx, request.UUID, input)
	if err != nil {
		return nil, err
	}
	return organisationAnswer{RequestFrom(ctx).Origin, o}, nil
}

// CallManagingOrganisationsPartialUpdate changes what the body names of an organisation.
func (h CallManagingOrganisations) CallManagingOrganisationsPartialUpdate(ctx context.Context, request gen.CallManagingOrganisationsPartialUpdateRequestObject) (gen.CallManagingOrganisationsPartialUpdateResponseObject, error) {
	input := readPatch(ctx, request.JSONBody)
	o, err := h.update(ctx, request.UUID, input)
	if err != nil {
		return nil, err
	}
	return organisationAnswer{RequestFrom(ctx).Origin, o}, nil
}

func (h CallManagingOrganisations) update(ctx context.Context, id uuid.UUID, input organisationInput) (store.Organisation, error) {
	o, err := mayChange(ctx, h.read(ctx, id))
	if err != nil {
		return o, err
	}
	fields := fieldErrors{}
	if input.customer != nil && *input.customer != o.CustomerUUID {
		_, err := h.store.Customer(ctx, *input.customer)
		if err == nil {
			fields.add("customer", "The customer of an organisation can't be changed.")
		}
		if err := fields.addMissing("customer", textNoObject, err); err != nil {
			return o, err
		}
	}
	image := input.checkImage(h.images, fields)
	if err := fields.problem(); err != nil {
		return o, err
	}
	change := store.OrganisationChange{Description: input.text, Image: image, ClearImage: input.clearImage}
	if change.Empty() {
		return o, nil
	}
	err = h.store.Write(ctx, actor(ctx), func(tx *store.Tx) error {
		o, err = mayChange(ctx, lock(ctx, tx, id))
		if err != nil {
			return err
		}
		o, err = tx.UpdateOrganisation(o, change)
		return err
	})
	return o, err
}

// loader loads an organisation and the roles that the principal holds on it or its customer.
type loader func() (store.Organisation, []store.HeldRole, error)

// read loads an organisation to decide whether a change is worth beginning.
func (h CallManagingOrganisations) read(ctx context.Context, id uuid.UUID) loader {
	return func() (store.Organisation, []store.HeldRole, error) {
		return h.store.OrganisationFor(ctx, id, access.From(ctx).UserUUID)
	}
}

// lock loads an organisation to change it.
func lock(ctx context.Context, tx *store.Tx, id uuid.UUID) loader {
	return func() (store.Organisation, []store.HeldRole, error) {
		return tx.LockOrganisationFor(id, access.From(ctx).UserUUID)
	}
}

// mayChange loads an organisation and checks that the principal may change it.
func mayChange(ctx context.Context, load loader) (store.Organisation, error) {
	o, held, err := load()
	if err != nil {
		return o, organisationErr(err)
	}
	if !access.From(ctx).MayChange(held) {
		return o, forbidden()
	}
	return o, nil
}

// CallManagingOrganisationsDestroy deletes an organisation without calls.
func (h CallManagingOrganisations) CallManagingOrganisationsDestroy(ctx context.Context, request gen.CallManagingOrganisationsDestroyRequestObject) (gen.CallManagingOrganisationsDestroyResponseObject, error) {
	_, err := mayChange(ctx, h.read(ctx, request.UUID))
	if err != nil {
		return nil, err
	}
	err = h.store.Write(ctx, actor(ctx), func(tx *store.Tx) error {
		o, err := mayChange(ctx, lock(ctx, tx, request.UUID))
		if err != nil {
			return err
		}
		return tx.DeleteOrganisation(o)
	})
	var calls *store.ErrForeignKey
	if errors.As(err, &calls) && (calls.Constraint == "" || calls.Constraint == "calls_organisation_uuid_fkey") {
		return nil, &Problem{Status: http.StatusBadRequest, Detail: textHasCalls}
	}
	if err != nil {
		return nil, err
	}
	return gen.CallManagingOrganisationsDestroy204Response{}, nil
}

// createReader is what mayCreate reads with, outside of a transaction and inside of one.
type createReader interface {
	HeldRoles(ctx context.Context, user, customer, organisation uuid.UUID) ([]store.HeldRole, error)
	HasOrganisation(ctx context.Context, customer uuid.UUID) (bool, error)
}
