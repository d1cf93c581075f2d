package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// TB is what a World needs of a test: *testing.T and *rapid.T have it.
type TB interface {
	Helper()
	Fatal(args ...any)
}

// World fills a store: each method writes one object that is valid as it is, changes given to
// it are made first. Its ids are a0000000-0000-4000-8000-000000000001 and so on, the same in
// every run, so that a store has one World; Created is the store's clock.
type World struct {
	Store *store.Store
	t     TB
	last  *atomic.Uint64 // id
	named *atomic.Uint64 // member
	tx    *store.Tx      // of Together
}

// NewWorld returns a world in a store.
func NewWorld(t TB, s *store.Store) *World {
	return &World{Store: s, t: t, last: new(atomic.Uint64), named: new(atomic.Uint64)}
}

// For is the same world, for a subtest.
func (w *World) For(t TB) *World { return &World{Store: w.Store, t: t, last: w.last, named: w.named} }

// ID returns an id that nothing has yet.
func (w *World) ID() uuid.UUID { return numbered("a0000000-0000-4000-8000", w.last.Add(1)) }

// Together builds many objects in one transaction, which is faster.
func (w *World) Together(build func(w *World)) {
	w.t.Helper()
	w.Write(func(tx *store.Tx) error {
		inside := *w
		inside.tx = tx
		build(&inside)
		return nil
	})
}

// Write runs change on behalf of the command line.
func (w *World) Write(change func(tx *store.Tx) error) {
	w.t.Helper()
	if w.tx != nil {
		if err := change(w.tx); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	if err := w.Store.Write(context.Background(), store.Actor{}, change); err != nil {
		w.t.Fatal(err)
	}
}

// add writes one row by an Import method, which fills what it leaves open.
func add[T any](w *World, row T, changes []func(*T), write func(*store.Tx, []T) error) T {
	w.t.Helper()
	for _, change := range changes {
		change(&row)
	}
	rows := []T{row}
	w.Write(func(tx *store.Tx) error { return write(tx, rows) })
	return rows[0]
}

// Customer adds a customer.
func (w *World) Customer(name string, changes ...func(*store.Customer)) store.Customer {
	w.t.Helper()
	return add(w, store.Customer{UUID: w.ID(), Name: name}, changes, (*store.Tx).ImportCustomers)
}

// Organisation adds the organisation of a customer.
func (w *World) Organisation(c store.Customer, changes ...func(*store.CallManagingOrganisation)) store.CallManagingOrganisation {
	w.t.Helper()
	return add(w, store.CallManagingOrganisation{UUID: w.ID(), CustomerUUID: c.UUID}, changes, (*store.Tx).ImportOrganisations)
}

// User adds an active user.
func (w *World) User(username string, changes ...func(*store.User)) store.User {
	w.t.Helper()
	return add(w, store.User{UUID: w.ID(), Username: username, IsActive: true}, changes, (*store.Tx).ImportUsers)
}

// Token adds a token of a user and returns its text.
func (w *World) Token(u store.User, changes ...func(*store.Token)) string {
	w.t.Helper()
	text := fmt.Sprintf("token-%d-of-%s", w.last.Add(1), u.Username)
	add(w, store.Token{Digest: store.Digest(text), UserUUID: u.UUID}, changes, (*store.Tx).ImportTokens)
	return text
}

// Role returns the role of this name, such as a built-in one.
func (w *World) Role(name string) store.Role {
	w.t.Helper()
	roles, err := w.Store.Roles(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(roles, func(r store.Role) bool { return r.Name == name })
	if i < 0 {
		w.t.Fatal("no role " + name)
	}
	return roles[i]
}

// NewRole adds an active role for organisations.
func (w *World) NewRole(name string, permissions []string, changes ...func(*store.Role)) store.Role {
	w.t.Helper()
	return add(w, store.Role{UUID: w.ID(), Name: name, Scope: store.ScopeOrganisation, IsActive: true, Permissions: permissions}, changes, (*store.Tx).ImportRoles)
}

// Grant gives a user a role on an organisation, for good.
func (w *World) Grant(u store.User, r store.Role, o store.CallManagingOrganisation, changes ...func(*store.UserRole)) store.UserRole {
	w.t.Helper()
	return add(w, store.UserRole{UUID: w.ID(), UserUUID: u.UUID, RoleUUID: r.UUID, OrganisationUUID: &o.UUID}, changes, (*store.Tx).ImportUserRoles)
}

// GrantOnCustomer gives a user a role on a customer, for good.
func (w *World) GrantOnCustomer(u store.User, r store.Role, c store.Customer, changes ...func(*store.UserRole)) store.UserRole {
	w.t.Helper()
	return add(w, store.UserRole{UUID: w.ID(), UserUUID: u.UUID, RoleUUID: r.UUID, CustomerUUID: &c.UUID}, changes, (*store.Tx).ImportUserRoles)
}

// Call adds a call in a state.
func (w *World) Call(o store.CallManagingOrganisation, state string, changes ...func(*store.Call)) store.Call {
	w.t.Helper()
	return add(w, store.Call{UUID: w.ID(), OrganisationUUID: o.UUID, Name: "Call", State: state}, changes, (*store.Tx).ImportCalls)
}

// Round adds a round to a call.
func (w *World) Round(c store.Call, start, cutoff time.Time, changes ...func(*store.Round)) store.Round {
	w.t.Helper()
	return add(w, store.Round{UUID: w.ID(), CallUUID: c.UUID, StartTime: start, CutoffTime: cutoff}, changes, (*store.Tx).ImportRounds)
}

// Proposal adds a proposal in a state to a round.
func (w *World) Proposal(r store.Round, state string, changes ...func(*store.Proposal)) store.Proposal {
	w.t.Helper()
	return add(w, store.Proposal{UUID: w.ID(), RoundUUID: r.UUID, Name: "Proposal", State: state}, changes, (*store.Tx).ImportProposals)
}

// Review adds a review in a state to a proposal.
func (w *World) Review(p store.Proposal, reviewer store.User, state string, changes ...func(*store.Review)) store.Review {
	w.t.Helper()
	return add(w, store.Review{UUID: w.ID(), ProposalUUID: p.UUID, ReviewerUUID: reviewer.UUID, State: state}, changes, (*store.Tx).ImportReviews)
}

// RequestedOffering adds a requested offering in a state to a call.
func (w *World) RequestedOffering(c store.Call, state string, changes ...func(*store.RequestedOffering)) store.RequestedOffering {
	w.t.Helper()
	return add(w, store.RequestedOffering{UUID: w.ID(), CallUUID: c.UUID, Offering: "Offering", State: state}, changes, (*store.Tx).ImportRequestedOfferings)
}

// Picture returns an image to keep, of the text as its bytes.
func Picture(text string) *store.NewImage {
	sum := sha256.Sum256([]byte(text))
	return &store.NewImage{MediaType: "image/png", SHA256: hex.EncodeToString(sum[:]), Bytes: []byte(text)}
}

// Image gives an object an image of the text as its bytes.
func (w *World) Image(owner store.ImageOwner, object uuid.UUID, text string) {
	w.t.Helper()
	w.Write(func(tx *store.Tx) error { return tx.ImportImage(owner, object, Picture(text)) })
}

// Organisations adds n customers, Customer 00001 and so on, each with its organisation.
func (w *World) Organisations(n int) []store.CallManagingOrganisation {
	w.t.Helper()
	customers := make([]store.Customer, n)
	organisations := make([]store.CallManagingOrganisation, n)
	for i := range n {
		customers[i] = store.Customer{UUID: w.ID(), Name: fmt.Sprintf("Customer %05d", i+1)}
		organisations[i] = store.CallManagingOrganisation{UUID: w.ID(), CustomerUUID: customers[i].UUID}
	}
	w.Write(func(tx *store.Tx) error {
		if err := inBatches(customers, tx.ImportCustomers); err != nil {
			return err
		}
		return inBatches(organisations, tx.ImportOrganisations)
	})
	return organisations
}

// Members adds n users, member00001 and so on, who hold a role on an organisation.
func (w *World) Members(o store.CallManagingOrganisation, r store.Role, n int) []store.User {
	w.t.Helper()
	users := make([]store.User, n)
	grants := make([]store.UserRole, n)
	for i := range n {
		number := w.named.Add(1)
		users[i] = store.User{UUID: w.ID(), Username: fmt.Sprintf("member%05d", number), FullName: fmt.Sprintf("Member %d", number), IsActive: true}
		grants[i] = store.UserRole{UUID: w.ID(), UserUUID: users[i].UUID, RoleUUID: r.UUID, OrganisationUUID: &o.UUID}
	}
	w.Write(func(tx *store.Tx) error {
		if err := inBatches(users, tx.ImportUsers); err != nil {
			return err
		}
		return inBatches(grants, tx.ImportUserRoles)
	})
	return users
}

func inBatches[T any](rows []T, write func([]T) error) error {
	for batch := range slices.Chunk(rows, store.ImportBatch) {
		if err := write(batch); err != nil {
			return err
		}
	}
	return nil
}
