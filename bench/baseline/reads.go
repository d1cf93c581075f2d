package baseline

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencalls/opencalls/store"
)

// Refusal is an answer other than the one that was asked for.
type Refusal struct {
	Status int
	Detail string
}

func (r *Refusal) Error() string { return r.Detail }

var (
	errNotFound    = &Refusal{http.StatusNotFound, "Not found."}
	errInvalidPage = &Refusal{http.StatusNotFound, "Invalid page."}
	errForbidden   = &Refusal{http.StatusForbidden, "You do not have permission to perform this action."}
	errToken       = &Refusal{http.StatusUnauthorized, "Invalid token."}
)

// orNotFound makes a missing row its refusal.
func orNotFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errNotFound
	}
	return err
}

// now is the time as it enters the database.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Organisation is a row of the list. UUIDs stay the texts that the database gives and takes.
type Organisation struct {
	UUID              string
	Created           time.Time
	Description       string
	Image             sql.NullString
	Customer          string
	Name              string
	Abbreviation      string
	NativeName        string
	Country           string
	CustomerImage     sql.NullString
	blocked, archived bool
}

func (o *Organisation) destinations() []any {
	return []any{&o.UUID, &o.Created, &o.Description, &o.Image, &o.Customer, &o.Name, &o.Abbreviation, &o.NativeName,
		&o.Country, &o.CustomerImage, &o.blocked, &o.archived}
}

// principal is who sent a request.
type principal struct {
	uuid           string
	staff, support bool
}

// authenticate reads who a token belongs to, by its digest.
func (d *Database) authenticate(ctx context.Context, digest string) (principal, error) {
	var p principal
	var active bool
	var expires sql.NullTime
	err := d.reads().one(ctx, selectIdentity, []any{digest}, &expires, &p.uuid, &p.staff, &p.support, &active)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return p, errToken
	case err != nil:
		return p, err
	case !active || expires.Valid && expires.Time.Before(time.Now()):
		return p, errToken
	}
	return p, nil
}

// List returns a page, from 1, of the organisations and how many there are on all pages. The
// keyword may be empty.
func (d *Database) List(ctx context.Context, digest, keyword string, number, size int) ([]Organisation, int, error) {
	if _, err := d.authenticate(ctx, digest); err != nil {
		return nil, 0, err
	}
	var list []Organisation
	var total int
	err := d.snapshot(ctx, func(s session) error {
		var err error
		if keyword == "" {
			list, total, err = s.pageOfAll(ctx, number, size)
		} else {
			list, total, err = s.pageOfMatches(ctx, d.contained(keyword), number, size)
		}
		return err
	})
	return list, total, err
}

func (s session) pageOfAll(ctx context.Context, number, size int) ([]Organisation, int, error) {
	var total int
	if err := s.one(ctx, countAll, nil, &total); err != nil {
		return nil, 0, err
	}
	if number > lastPage(total, size) {
		return nil, 0, errInvalidPage
	}
	offset := (number - 1) * size
	limit := min(size, total-offset)
	q, first, fromEnd := pageForwards, firstForwards, offset > total/2
	if fromEnd {
		q, first, offset = pageBackwards, firstBackwards, total-offset-limit
	}
	text, arguments := s.statements[q], []any{limit, offset}
	if offset == 0 {
		text, arguments = s.statements[first]+strconv.Itoa(limit), nil
	}
	list, err := s.organisations(ctx, text, limit, arguments...)
	if fromEnd {
		slices.Reverse(list)
	}
	return list, total, err
}

// pageOfMatches reads a row more than the page has, and counts what comes after it, if anything.
func (s session) pageOfMatches(ctx context.Context, keyword string, number, size int) ([]Organisation, int, error) {
	offset := (number - 1) * size
	list, err := s.organisations(ctx, s.statements[keywordPage], size+1, keyword, size+1, offset)
	if err != nil {
		return nil, 0, err
	}
	if len(list) == 0 && number > 1 {
		return nil, 0, errInvalidPage
	}
	if len(list) <= size {
		return list, offset + len(list), nil
	}
	var rest int
	err = s.one(ctx, countKeywordAfter, []any{keyword, list[size].UUID}, &rest)
	return list[:size], offset + size + 1 + rest, err
}

func (s session) organisations(ctx context.Context, text string, limit int, arguments ...any) ([]Organisation, error) {
	var o Organisation
	list := make([]Organisation, 0, limit)
	err := s.each(ctx, text, arguments, o.destinations(), func() { list = append(list, o) })
	return list, err
}

// Count returns how many organisations there are.
func (d *Database) Count(ctx context.Context, digest string) (int, error) {
	if _, err := d.authenticate(ctx, digest); err != nil {
		return 0, err
	}
	var total int
	err := d.reads().one(ctx, countAll, nil, &total)
	return total, err
}

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// contained is the argument of a search for a text inside others.
func (d *Database) contained(text string) string {
	text = store.FoldCase(text)
	if d.postgres {
		return "%" + escapeLike.Replace(text) + "%"
	}
	return text
}

func lastPage(total, size int) int { return max(1, (total+size-1)/size) }

// Retrieve returns one organisation.
func (d *Database) Retrieve(ctx context.Context, digest, id string) (Organisation, error) {
	var o Organisation
	if _, err := d.authenticate(ctx, digest); err != nil {
		return o, err
	}
	err := d.reads().one(ctx, selectOrganisation, []any{id}, o.destinations()...)
	return o, orNotFound(err)
}

// Stats are the numbers of what goes on in an organisation's calls.
type Stats struct {
	OpenCalls, ActiveRounds, AcceptedProposals, PendingProposals, PendingReview int
	RoundsClosingInOneWeek, CallsClosingInOneWeek, OfferingRequestsPending      int
}

// Stats counts what goes on in an organisation's calls.
func (d *Database) Stats(ctx context.Context, digest, id string) (Stats, error) {
	var s Stats
	if _, err := d.authenticate(ctx, digest); err != nil {
		return s, err
	}
	now := now()
	week := now.Add(7 * 24 * time.Hour)
	err := d.reads().one(ctx, selectStats, []any{now, now, now, week, now, week, id},
		&s.OpenCalls, &s.ActiveRounds, &s.AcceptedProposals, &s.PendingProposals, &s.PendingReview,
		&s.RoundsClosingInOneWeek, &s.CallsClosingInOneWeek, &s.OfferingRequestsPending)
	return s, orNotFound(err)
}

// Member is a role that a user holds on an organisation.
type Member struct {
	UUID                         string
	Created                      time.Time
	Expires                      sql.NullTime
	RoleName, RoleUUID           string
	Email, FullName, Username    string
	User                         string
	Image                        sql.NullString
	CreatedByName, CreatedByUUID sql.NullString
}

// ListUsers returns a page, from 1, of an organisation's members and how many there are.
func (d *Database) ListUsers(ctx context.Context, digest, id string, number, size int) ([]Member, int, error) {
	who, err := d.authenticate(ctx, digest)
	if err != nil {
		return nil, 0, err
	}
	_, held, err := d.organisationFor(ctx, who, id)
	if err != nil {
		return nil, 0, err
	}
	if !who.staff && !who.support && len(held) == 0 {
		return nil, 0, errForbidden
	}
	var list []Member
	var total int
	err = d.snapshot(ctx, func(s session) error {
		if err := s.one(ctx, countMembers, []any{id, now()}, &total); err != nil {
			return err
		}
		if number > lastPage(total, size) {
			return errInvalidPage
		}
		var m Member
		list = make([]Member, 0, min(size, total))
		q, arguments := firstMembers, []any{id, now(), size}
		if number > 1 {
			q, arguments = pageOfMembers, append(arguments, (number-1)*size)
		}
		return s.each(ctx, s.statements[q], arguments, []any{
			&m.UUID, &m.Created, &m.Expires, &m.RoleName, &m.RoleUUID, &m.Email, &m.FullName, &m.Username, &m.User,
			&m.Image, &m.CreatedByName, &m.CreatedByUUID,
		}, func() { list = append(list, m) })
	})
	return list, total, err
}

// heldRole is one permission of a role that the principal holds.
type heldRole struct{ grant, role, permission, scope sql.NullString }

func (h *heldRole) destinations() []any {
	return []any{&h.grant, &h.role, &h.permission, &h.scope}
}

// organisationFor returns an organisation and what the principal holds on it or its customer.
func (d *Database) organisationFor(ctx context.Context, who principal, id string) (Organisation, []heldRole, error) {
	var o Organisation
	var h heldRole
	var held []heldRole
	found := false
	reads := d.reads()
	err := reads.each(ctx, reads.statements[selectOrganisationFor], []any{who.uuid, now(), id, who.uuid, now(), id}, append(o.destinations(), h.destinations()...), func() {
		found = true
		if h.grant.Valid {
			held = append(held, h)
		}
	})
	if err == nil && !found {
		err = errNotFound
	}
	return o, held, err
}
