package store_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// violates checks that an error is that of a constraint, whose kind its name says. SQLite can't say
// which foreign key it was.
func (r *rig) violates(err error, constraint string) {
	r.Helper()
	var unique *store.UniqueError
	var key *store.ForeignKeyError
	var check *store.CheckError
	var is bool
	switch {
	case strings.HasSuffix(constraint, "_fkey"):
		is = errors.As(err, &key) && (key.Constraint == "" || strings.HasSuffix(err.Error(), "foreign key "+constraint))
	case strings.HasSuffix(constraint, "_check"):
		is = errors.As(err, &check) && strings.HasSuffix(err.Error(), "check constraint "+constraint)
	default:
		is = errors.As(err, &unique) && strings.HasSuffix(err.Error(), "unique constraint "+constraint)
	}
	if !is {
		r.Fatalf("error is %v, not that of %s", err, constraint)
	}
}

// isRow checks which of the given rows could not be kept.
func (r *rig) isRow(err error, index int) {
	r.Helper()
	var e *store.RowError
	if !errors.As(err, &e) {
		r.Fatalf("error is %v, not ErrRow", err)
	}
	r.same(e.Error(), fmt.Sprintf("row %d: %v", index, e.Err))
}

// populated is a world with one object of each kind.
type populated struct {
	customer     store.Customer
	organisation store.CallManagingOrganisation
	user         store.User
	role         store.Role
	onCustomer   store.Role
	grant        store.UserRole
	call         store.Call
	round        store.Round
	proposal     store.Proposal
}

func (r *rig) populate() populated {
	r.Helper()
	w := r.world
	p := populated{customer: w.customer("Tartu"), user: w.user("alice"), role: w.role("CUSTOMER.CALL_ORGANIZER"), onCustomer: w.role("CUSTOMER.OWNER")}
	p.organisation = w.organisation(p.customer)
	p.grant = w.grant(p.user, p.role, p.organisation)
	w.grantOnCustomer(p.user, p.onCustomer, p.customer)
	p.call = w.call(p.organisation, "active")
	p.round = w.round(p.call, r.clock.Now(), r.clock.Now().Add(time.Hour))
	p.proposal = w.proposal(p.round, "submitted")
	w.review(p.proposal, p.user, "created")
	w.requestedOffering(p.call, "requested")
	return p
}

// imported is a change that imports one row.
func imported[T any](row T) func(tx *store.Tx) error {
	return func(tx *store.Tx) error { return tx.Import([]T{row}) }
}

var constraintScenarios = []scenario{
	{"an import says which row it was", func(r *rig) {
		p := r.populate()
		for i := range 3 {
			calls := make([]store.Call, 3)
			for j := range calls {
				calls[j] = store.Call{UUID: uuid.New(), OrganisationUUID: p.organisation.UUID, State: "draft"}
			}
			calls[i].State = "bad"
			err := r.fails(func(tx *store.Tx) error { return tx.Import(calls) })
			r.isRow(err, i)
			r.violates(err, "calls_state_check")
		}
		err := r.fails(func(tx *store.Tx) error {
			return tx.Import([]store.User{{UUID: uuid.New(), Username: "bob"}, {UUID: uuid.New(), Username: "Bob"}})
		})
		r.isRow(err, 1)
		r.is(err, store.ErrUsername)
	}},

	{"violations", func(r *rig) {
		p := r.populate() // for all of them, since what is refused leaves nothing behind
		for _, v := range []struct {
			name, constraint string
			change           func(tx *store.Tx) error
		}{
			{"a username twice", "users_username_key", func(tx *store.Tx) error { return errorOf(tx.CreateUser(store.User{Username: "alice"}, nil)) }},
			{"a user's id twice", "users_pkey", func(tx *store.Tx) error {
				return errorOf(tx.CreateUser(store.User{UUID: p.user.UUID, Username: "bob"}, nil))
			}},
			{"a token twice", "tokens_pkey", func(tx *store.Tx) error {
				if err := tx.CreateToken(p.user.UUID, store.Digest("x"), nil); err != nil {
					return err
				}
				return tx.CreateToken(p.user.UUID, store.Digest("x"), nil)
			}},
			{"a role's name twice", "roles_name_key", imported(store.Role{UUID: uuid.New(), Name: "CUSTOMER.OWNER", Scope: store.ScopeCustomer})},
			{"a second organisation of a customer by import", "call_managing_organisations_customer_uuid_key", imported(store.CallManagingOrganisation{UUID: uuid.New(), CustomerUUID: p.customer.UUID})},
			{"a role twice on an organisation", "user_roles_organisation_uuid_user_uuid_role_uuid_key", imported(store.UserRole{UUID: uuid.New(), UserUUID: p.user.UUID, RoleUUID: p.role.UUID, OrganisationUUID: &p.organisation.UUID})},
			{"a role twice on a customer", "user_roles_customer_uuid_user_uuid_role_uuid_key", imported(store.UserRole{UUID: uuid.New(), UserUUID: p.user.UUID, RoleUUID: p.onCustomer.UUID, CustomerUUID: &p.customer.UUID})},
			{"an organisation of no customer", "call_managing_organisations_customer_uuid_fkey", func(tx *store.Tx) error {
				return errorOf(tx.CreateOrganisation(store.Customer{UUID: uuid.New(), NameKey: []byte{}}, "", nil))
			}},
			{"a token of nobody", "tokens_user_uuid_fkey", func(tx *store.Tx) error { return tx.CreateToken(uuid.New(), store.Digest("x"), nil) }},
			{"a token of nobody by import", "tokens_user_uuid_fkey", imported(store.Token{Digest: store.Digest("x"), UserUUID: uuid.New()})},
			{"a role of nobody", "user_roles_user_uuid_fkey", func(tx *store.Tx) error { return tx.GrantRole(uuid.New(), p.role.UUID, on(p.organisation.UUID), nil) }},
			{"a grant of no role", "user_roles_role_uuid_fkey", func(tx *store.Tx) error { return tx.GrantRole(p.user.UUID, uuid.New(), on(p.organisation.UUID), nil) }},
			{"a role on no organisation", "user_roles_organisation_uuid_fkey", func(tx *store.Tx) error { return tx.GrantRole(p.user.UUID, p.role.UUID, on(uuid.New()), nil) }},
			{"a role on no customer", "user_roles_customer_uuid_fkey", imported(store.UserRole{UserUUID: p.user.UUID, RoleUUID: p.role.UUID, CustomerUUID: ptr(uuid.New())})},
			{"a grant by nobody", "user_roles_created_by_uuid_fkey", imported(store.UserRole{UserUUID: p.user.UUID, RoleUUID: p.role.UUID, CustomerUUID: &p.customer.UUID, CreatedByUUID: ptr(uuid.New())})},
			{"a call of no organisation", "calls_organisation_uuid_fkey", imported(store.Call{UUID: uuid.New(), OrganisationUUID: uuid.New(), State: "draft"})},
			{"a round of no call", "rounds_call_uuid_fkey", imported(store.Round{UUID: uuid.New(), CallUUID: uuid.New(), StartTime: p.round.StartTime, CutoffTime: p.round.CutoffTime})},
			{"a proposal to no round", "proposals_round_uuid_fkey", imported(store.Proposal{UUID: uuid.New(), RoundUUID: uuid.New(), State: "draft"})},
			{"a review of no proposal", "reviews_proposal_uuid_fkey", imported(store.Review{UUID: uuid.New(), ProposalUUID: uuid.New(), ReviewerUUID: p.user.UUID, State: "created"})},
			{"a review by nobody", "reviews_reviewer_uuid_fkey", imported(store.Review{UUID: uuid.New(), ProposalUUID: p.proposal.UUID, ReviewerUUID: uuid.New(), State: "created"})},
			{"an offering requested by no call", "requested_offerings_call_uuid_fkey", imported(store.RequestedOffering{UUID: uuid.New(), CallUUID: uuid.New(), State: "requested"})},
			{"a call's state", "calls_state_check", imported(store.Call{UUID: uuid.New(), OrganisationUUID: p.organisation.UUID, State: "Active"})},
			{"a round that ends when it starts", "rounds_cutoff_time_check", imported(store.Round{UUID: uuid.New(), CallUUID: p.call.UUID, StartTime: p.round.StartTime, CutoffTime: p.round.StartTime})},
			{"a round that ends before it starts", "rounds_cutoff_time_check", func(tx *store.Tx) error {
				// As clock times alone the end would be the later one.
				end := p.round.StartTime.Add(-time.Hour).In(time.FixedZone("", 7200))
				return tx.Import([]store.Round{{UUID: uuid.New(), CallUUID: p.call.UUID, StartTime: p.round.StartTime, CutoffTime: end}})
			}},
			{"a proposal's state", "proposals_state_check", imported(store.Proposal{UUID: uuid.New(), RoundUUID: p.round.UUID, State: ""})},
			{"a review's state", "reviews_state_check", imported(store.Review{UUID: uuid.New(), ProposalUUID: p.proposal.UUID, ReviewerUUID: p.user.UUID, State: "accepted"})},
			{"a requested offering's state", "requested_offerings_state_check", imported(store.RequestedOffering{UUID: uuid.New(), CallUUID: p.call.UUID, State: "created"})},
			{"a role's scope", "roles_scope_check", imported(store.Role{UUID: uuid.New(), Name: "X", Scope: "project"})},
			{"a grant without a scope", "user_roles_scope_check", imported(store.UserRole{UserUUID: p.user.UUID, RoleUUID: p.role.UUID})},
			{"a grant in two scopes", "user_roles_scope_check", func(tx *store.Tx) error {
				other := store.User{UUID: uuid.New(), Username: "bob"}
				if err := tx.Import([]store.User{other}); err != nil {
					return err
				}
				return tx.Import([]store.UserRole{{UserUUID: other.UUID, RoleUUID: p.role.UUID, CustomerUUID: &p.customer.UUID, OrganisationUUID: &p.organisation.UUID}})
			}},
			{"a description of 4097 characters", "call_managing_organisations_description_check", func(tx *store.Tx) error {
				o := must(tx.LockOrganisation(p.organisation.UUID))
				return errorOf(tx.UpdateOrganisation(o, store.OrganisationChange{Description: ptr(strings.Repeat("ä", 4097))}))
			}},
		} {
			r.each(v.name, func(r *rig) { r.violates(r.fails(v.change), v.constraint) })
		}
	}},
}
