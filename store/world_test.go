package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// world fills a store: each method writes one object that is valid as it is; changes given to it are
// made first. Created is the store's clock. What can't be written ends the test.
type world struct {
	store *store.Store
	last  int
}

// id returns a000…01 and so on, the same in every run.
func (w *world) id() uuid.UUID {
	w.last++
	return uuid.MustParse(fmt.Sprintf("a0000000-0000-4000-8000-%012x", w.last))
}

func (w *world) write(change func(tx *store.Tx) error) {
	must(0, w.store.Write(context.Background(), store.Actor{}, change))
}

// add imports one row, which fills what it leaves open.
func add[T any](w *world, row T, changes ...func(*T)) T {
	for _, change := range changes {
		change(&row)
	}
	rows := []T{row}
	w.write(func(tx *store.Tx) error { return tx.Import(rows) })
	return rows[0]
}

func (w *world) customer(name string, changes ...func(*store.Customer)) store.Customer {
	return add(w, store.Customer{UUID: w.id(), Name: name}, changes...)
}

func (w *world) organisation(c store.Customer, changes ...func(*store.CallManagingOrganisation)) store.CallManagingOrganisation {
	return add(w, store.CallManagingOrganisation{UUID: w.id(), CustomerUUID: c.UUID}, changes...)
}

func (w *world) user(username string, changes ...func(*store.User)) store.User {
	return add(w, store.User{UUID: w.id(), Username: username, IsActive: true}, changes...)
}

// token returns the text of a new one.
func (w *world) token(u store.User, changes ...func(*store.Token)) string {
	text := fmt.Sprintf("token-%s-of-%s", w.id(), u.Username)
	add(w, store.Token{Digest: store.Digest(text), UserUUID: u.UUID}, changes...)
	return text
}

// role returns the role of this name, such as a built-in one.
func (w *world) role(name string) store.Role {
	roles := must(storetest.Roles(w.store))
	return roles[slices.IndexFunc(roles, func(r store.Role) bool { return r.Name == name })]
}

func (w *world) newRole(name string, permissions []string, changes ...func(*store.Role)) store.Role {
	role := store.Role{UUID: w.id(), Name: name, Scope: store.ScopeOrganisation, IsActive: true, Permissions: permissions}
	return add(w, role, changes...)
}

func (w *world) grant(u store.User, r store.Role, o store.CallManagingOrganisation, changes ...func(*store.UserRole)) store.UserRole {
	return add(w, store.UserRole{UUID: w.id(), UserUUID: u.UUID, RoleUUID: r.UUID, OrganisationUUID: &o.UUID}, changes...)
}

func (w *world) grantOnCustomer(u store.User, r store.Role, c store.Customer, changes ...func(*store.UserRole)) store.UserRole {
	return add(w, store.UserRole{UUID: w.id(), UserUUID: u.UUID, RoleUUID: r.UUID, CustomerUUID: &c.UUID}, changes...)
}

func (w *world) call(o store.CallManagingOrganisation, state string, changes ...func(*store.Call)) store.Call {
	return add(w, store.Call{UUID: w.id(), OrganisationUUID: o.UUID, Name: "Call", State: state}, changes...)
}

func (w *world) round(c store.Call, start, cutoff time.Time) store.Round {
	return add(w, store.Round{UUID: w.id(), CallUUID: c.UUID, StartTime: start, CutoffTime: cutoff})
}

func (w *world) proposal(r store.Round, state string) store.Proposal {
	return add(w, store.Proposal{UUID: w.id(), RoundUUID: r.UUID, Name: "Proposal", State: state})
}

func (w *world) review(p store.Proposal, reviewer store.User, state string) store.Review {
	return add(w, store.Review{UUID: w.id(), ProposalUUID: p.UUID, ReviewerUUID: reviewer.UUID, State: state})
}

func (w *world) requestedOffering(c store.Call, state string) {
	offering := store.RequestedOffering{UUID: w.id(), CallUUID: c.UUID, Offering: "Offering", State: state}
	add(w, offering)
}

// image gives an object an image of the text as its bytes.
func (w *world) image(owner string, object uuid.UUID, text string) {
	w.write(func(tx *store.Tx) error { return tx.ImportImage(owner, object, storetest.Picture(text)) })
}

// organisations adds n customers, Customer 00001 and so on, each with its organisation.
func (w *world) organisations(n int) []store.CallManagingOrganisation {
	customers, all := make([]store.Customer, n), make([]store.CallManagingOrganisation, n)
	for i := range n {
		customers[i] = store.Customer{UUID: w.id(), Name: fmt.Sprintf("Customer %05d", i+1)}
		all[i] = store.CallManagingOrganisation{UUID: w.id(), CustomerUUID: customers[i].UUID}
	}
	w.write(func(tx *store.Tx) error {
		for first := 0; first < n; first += store.ImportBatch {
			end := min(n, first+store.ImportBatch)
			if err := errors.Join(tx.Import(customers[first:end]), tx.Import(all[first:end])); err != nil {
				return err
			}
		}
		return nil
	})
	return all
}

// on is an organisation as what roles are granted on.
func on(organisation uuid.UUID) store.ScopeOf {
	return store.ScopeOf{Kind: store.ScopeOrganisation, UUID: organisation}
}
