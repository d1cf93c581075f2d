package handlers

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// team is who holds roles on an object: on an organisation or on a customer.
type team struct {
	on           store.ScopeOf
	customer     uuid.UUID // of the organisation, or the object itself
	organisation uuid.UUID // uuid.Nil for a customer
	available    bool      // roles may be given out
}

func teamOf(o store.Organisation) team {
	return team{o.Scope(), o.CustomerUUID, o.UUID, o.CustomerAvailable()}
}

// rule is a rule of access on the roles that a principal holds on a customer and on its organisation.
type rule func(access.Principal, []store.HeldRole) bool

// checkRule is a 403 unless the rule allows it, or a 404 where the principal doesn't see the customer. Roles are
// read only where the rule needs some.
func checkRule(ctx context.Context, reads reader, p access.Principal, t team, allows rule) error {
	if allows(p, nil) {
		return nil
	}
	held, err := reads.HeldRoles(ctx, p.UserUUID, t.customer, t.organisation)
	if err != nil || allows(p, held) {
		return err
	}
	seen := p.SeesAll() || len(held) > 0 || t.organisation != uuid.Nil
	if !seen {
		seen, err = reads.HasOrganisation(ctx, t.customer)
	}
	switch {
	case err != nil:
		return err
	case !seen:
		return store.ErrNotFound
	}
	return forbidden()
}

// mayList checks that the principal may list a team. It returns the only user whose e-mail address they see there,
// uuid.Nil where they see all.
func mayList(ctx context.Context, s *store.Store, t team) (emailsOf uuid.UUID, err error) {
	rule := func(p access.Principal, held []store.HeldRole) bool {
		emailsOf = p.UserUUID
		if t.on.Kind == store.ScopeOrganisation || p.SeesEmails(held) {
			emailsOf = uuid.Nil
		}
		return p.MayListUsers(held)
	}
	err = checkRule(ctx, s, access.From(ctx), t, rule)
	return emailsOf, err
}

// listMembers is a page of the roles granted to a team.
func listMembers(
	ctx context.Context, s *store.Store, t team, params gen.CallManagingOrganisationsListUsersListParams,
) ([]gen.UserRoleDetails, listHeaders, error) {
	emailsOf, err := mayList(ctx, s, t)
	if err != nil {
		return nil, listHeaders{}, err
	}
	read := func(page store.Page) ([]store.Member, int64, error) {
		return s.ListMembers(ctx, t.on, memberFilter(params, emailsOf), orderOf(params.O), page)
	}
	member := func(m store.Member) gen.UserRoleDetails {
		return narrow(render(ctx).member(m, emailsOf), params.Field)
	}
	return list(ctx, params.Page, params.PageSize, read, member)
}

// countMembers is the headers of listMembers.
func countMembers(
	ctx context.Context, s *store.Store, t team, params gen.CallManagingOrganisationsListUsersListParams,
) (listHeaders, error) {
	emailsOf, err := mayList(ctx, s, t)
	if err != nil {
		return listHeaders{}, err
	}
	total, err := s.CountMembers(ctx, t.on, memberFilter(params, emailsOf))
	return count(ctx, params.Page, params.PageSize, total, err)
}

func memberFilter(params gen.CallManagingOrganisationsListUsersListParams, emailsOf uuid.UUID) store.MemberFilter {
	f := store.MemberFilter{
		Username: valueOf(params.Username), FullName: valueOf(params.FullName), NativeName: valueOf(params.NativeName),
		UserSlug: valueOf(params.UserSlug), Search: valueOf(params.SearchString), EmailsOf: emailsOf,
	}
	if params.User != nil {
		f.Users = append(f.Users, *params.User)
	}
	if params.UserURL != nil {
		f.Users = append(f.Users, uuidOfURL(*params.UserURL))
	}
	role := valueOf(params.Role)
	if id, err := ParseUUID(role); err == nil {
		f.RoleUUID = id
	} else {
		f.RoleName = role
	}
	return f
}

// member renders a role that a user holds. An e-mail address is shown of emailsOf alone, unless that is uuid.Nil.
func (r renderer) member(m store.Member, emailsOf uuid.UUID) gen.UserRoleDetails {
	details := gen.UserRoleDetails{
		UUID:              new(m.UUID.String()),
		Created:           new(FormatTime(m.Created)),
		ExpirationTime:    orNull(formatEnd(m.ExpirationTime)),
		RoleName:          &m.RoleName,
		RoleUUID:          new(m.RoleUUID.String()),
		UserEmail:         orNull(emailOf(m, emailsOf)),
		UserFullName:      &m.UserFullName,
		UserUsername:      &m.UserUsername,
		UserUUID:          new(m.UserUUID.String()),
		UserImage:         orNull(r.image(m.UserImageUUID)),
		CreatedByFullName: m.CreatedByFullName,
	}
	if m.CreatedByUUID != nil {
		details.CreatedByUUID = new(m.CreatedByUUID.String())
	}
	return details
}

// emailOf is the e-mail address of a member; nil where it is not shown.
func emailOf(m store.Member, emailsOf uuid.UUID) *string {
	if emailsOf != uuid.Nil && emailsOf != m.UserUUID {
		return nil
	}
	return &m.UserEmail
}

// roleAction is what an operation does with a role of a user.
type roleAction struct {
	permissions map[store.Scope]string // what it takes, by what the role is granted on
	lasts       bool                   // the role may last as long as the principal's own permission at most
	apply       func(*store.Tx, access.Principal, roleTarget) error
}

// grantRole grants a role to a user.
var grantRole = roleAction{
	permissions: access.PermissionsToGrant, lasts: true,
	apply: func(tx *store.Tx, p access.Principal, t roleTarget) error {
		if !t.user.IsActive && !p.Staff {
			return NonField("Only staff users can assign roles to deactivated users.")
		}
		err := tx.GrantRole(t.user.UUID, t.role.UUID, t.on, t.expires)
		switch { // in Waldur's order; an error rolls the grant back
		case errors.Is(err, store.ErrAlreadyGranted):
			return NonField("User has already the same role in this scope.")
		case err == nil && t.role.Scope != t.on.Kind:
			return NonField("Role is not valid for this scope.")
		case err == nil && !t.role.IsActive:
			return NonField("Role is not active.")
		}
		return err
	},
}

// updateRole changes when a user's role ends.
var updateRole = roleAction{
	permissions: access.PermissionsToUpdate, lasts: true,
	apply: func(tx *store.Tx, _ access.Principal, t roleTarget) error {
		err := tx.UpdateGrant(t.user.UUID, t.role.UUID, t.on, t.expires)
		if errors.Is(err, store.ErrNotFound) {
			return NonField("User does not have this role in this scope.")
		}
		return err
	},
}

// revokeRole revokes a user's role; where it is not held nothing changes.
var revokeRole = roleAction{
	permissions: access.PermissionsToRevoke,
	apply: func(tx *store.Tx, _ access.Principal, t roleTarget) error {
		return tx.RevokeRole(t.user.UUID, t.role.UUID, t.on)
	},
}

// roleTarget is what a role action is about.
type roleTarget struct {
	team
	role    store.Role
	user    store.User
	expires *time.Time // nil: never
	latest  *time.Time // how late it may be: when the principal's own permission ends; nil: without an end
}

// manageRole is what the role actions share, whose bodies are alike: it checks access to the team, which load locks,
// then the fields, then what concerns the body as a whole.
func manageRole(
	ctx context.Context, s *store.Store, load func(*store.Tx) (team, error), body *gen.UserRoleCreateRequest,
	action roleAction,
) (answer gen.UserRoleExpirationTime, err error) {
	var target roleTarget
	if body.ExpirationTime != nil {
		expires, _ := ParseTime(*body.ExpirationTime) // the validator has checked it
		expires = expires.Truncate(time.Microsecond)
		target.expires = &expires
	}
	othersOnly := false
	may := func(tx *store.Tx, p access.Principal, t team) error {
		permission := action.permissions[t.on.Kind]
		return checkRule(ctx, tx, p, t, func(p access.Principal, held []store.HeldRole) (allowed bool) {
			allowed, othersOnly = p.MayManageRole(held, permission)
			if action.lasts {
				target.latest = access.HeldUntil(held, permission)
			}
			return allowed
		})
	}
	apply := func(tx *store.Tx, p access.Principal, t team) error {
		target.team = t
		err := target.load(ctx, tx, body)
		switch {
		case err != nil:
			return err
		case !t.available:
			return NonField(textNotAvailable)
		case othersOnly && target.user.UUID == p.UserUUID:
			return NonField("User can not manage own role.")
		}
		return action.apply(tx, p, target)
	}
	err = change(ctx, s, load, may, apply)
	return gen.UserRoleExpirationTime{ExpirationTime: formatEnd(target.expires)}, err
}

// load loads what the fields of a role action name, and refuses those that are wrong.
func (t *roleTarget) load(ctx context.Context, tx *store.Tx, body *gen.UserRoleCreateRequest) (err error) {
	fields := fieldErrors{}
	if roleUUID, notUUID := ParseUUID(body.Role); notUUID == nil {
		t.role, err = tx.Role(ctx, roleUUID)
	} else {
		t.role, err = tx.RoleByName(ctx, body.Role)
	}
	if err := fields.addMissing("role", "Role is not found.", err); err != nil {
		return err
	}
	t.user, err = tx.User(ctx, body.User)
	if err := fields.addMissing("user", "User is not found.", err); err != nil {
		return err
	}
	switch {
	case t.expires != nil && t.expires.Before(tx.Now()):
		fields.add("expiration_time", "Expiration time should be greater than current time.")
	case t.latest != nil && (t.expires == nil || t.expires.After(*t.latest)):
		fields.add("expiration_time", "Expiration time must not be later than that of your own role.")
	}
	return fields.problem()
}
