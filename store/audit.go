package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"
)

// audit writes one event for each object, in the transaction that changed it.
func (tx *Tx) audit(action, objectType, details string, objects ...string) error {
	events := make([]AuditEvent, len(objects))
	for i, object := range objects {
		events[i] = AuditEvent{ObjectType: objectType, ObjectUUID: object, Details: details}
		id, err := uuid.Parse(object)
		switch {
		case err != nil: // a key
		case objectType == "user", objectType == "token":
			events[i].UserUUID = &id
		case objectType == "customer":
			events[i].CustomerUUID = &id
		case objectType == "role":
			events[i].RoleUUID = &id
		case objectType == "call_managing_organisation":
			events[i].OrganisationUUID = &id
		}
	}
	return tx.auditEvents(action, events...)
}

// auditEvents is audit for events that say what their objects are about.
func (tx *Tx) auditEvents(action string, events ...AuditEvent) error {
	for i := range events {
		e := &events[i]
		e.UUID, e.Created, e.ActorUUID, e.RequestID = tx.newUUID(), tx.now(), tx.actor.UserUUID, tx.actor.RequestID
		e.Action = e.ObjectType + "." + action
		tx.audited[e.Action]++
	}
	return tx.db.Create(&events).Error
}

// event is an event about the organisation, but for what all events have.
func (o CallManagingOrganisation) event(details string) AuditEvent {
	return AuditEvent{
		ObjectType: "call_managing_organisation", ObjectUUID: o.UUID.String(), Details: details,
		CustomerUUID: &o.CustomerUUID, OrganisationUUID: &o.UUID,
	}
}

// event is an event about the grant, but for what all events have.
func (g UserRole) event(details string) AuditEvent {
	return AuditEvent{
		ObjectType: "user_role", ObjectUUID: g.UUID.String(), Details: details,
		UserUUID: &g.UserUUID, RoleUUID: &g.RoleUUID, CustomerUUID: g.CustomerUUID, OrganisationUUID: g.OrganisationUUID,
	}
}

// eventsOf are the events about rows.
func eventsOf[Row interface{ event(string) AuditEvent }](rows []Row) []AuditEvent {
	events := make([]AuditEvent, len(rows))
	for i, row := range rows {
		events[i] = row.event("")
	}
	return events
}

// Event is an audit event with the names of what it speaks of, each nil where that is not there or is gone.
type Event struct {
	UUID             uuid.UUID  `gorm:"column:uuid" sql:"e.uuid"`
	Created          time.Time  `gorm:"column:created" sql:"e.created"`
	ActorUUID        *uuid.UUID `gorm:"column:actor_uuid" sql:"e.actor_uuid"` // nil: the command line or an import
	ActorUsername    *string    `gorm:"column:actor_username" sql:"a.username"`
	Action           string     `gorm:"column:action" sql:"e.action"`
	ObjectType       string     `gorm:"column:object_type" sql:"e.object_type"`
	ObjectUUID       string     `gorm:"column:object_uuid" sql:"e.object_uuid"`
	UserUUID         *uuid.UUID `gorm:"column:user_uuid" sql:"e.user_uuid"`
	Username         *string    `gorm:"column:username" sql:"u.username"`
	RoleUUID         *uuid.UUID `gorm:"column:role_uuid" sql:"e.role_uuid"`
	RoleName         *string    `gorm:"column:role_name" sql:"r.name"`
	OrganisationUUID *uuid.UUID `gorm:"column:organisation_uuid" sql:"e.organisation_uuid"`
	CustomerUUID     *uuid.UUID `gorm:"column:customer_uuid" sql:"COALESCE(e.customer_uuid, o.customer_uuid)"`
	CustomerName     *string    `gorm:"column:customer_name" sql:"c.name"`
	Details          string     `gorm:"column:details" sql:"e.details"`
	RequestID        string     `gorm:"column:request_id" sql:"e.request_id"` // "" outside of a request
}

// eventNames are the tables that an event's names come from.
const eventNames = ` LEFT JOIN users AS a ON a.uuid = e.actor_uuid
	LEFT JOIN users AS u ON u.uuid = e.user_uuid
	LEFT JOIN roles AS r ON r.uuid = e.role_uuid
	LEFT JOIN call_managing_organisations AS o ON o.uuid = e.organisation_uuid
	LEFT JOIN customers AS c ON c.uuid = COALESCE(e.customer_uuid, o.customer_uuid)`

// EventFilter narrows the list of audit events; each part that is set narrows further.
type EventFilter struct {
	User         uuid.UUID // did it, or it was done to them; uuid.Nil is any
	Organisation uuid.UUID // it was done to this organisation or customer, its other half, or a role there
	Since        time.Time // at this time or later; the zero time is any
}

var eventColumns = columns[Event]()

// mostEvents is how many events EachEvent holds at most.
const mostEvents = 64 * ImportBatch

// EachEvent visits the audit events, the newest first. It reads a batch at a time, each of its own state of the
// database. The batches grow: each finds and sorts all events of a user or an organisation that are left.
func (q queries) EachEvent(ctx context.Context, f EventFilter, visit func(Event) error) error {
	l := list{from: "audit_events AS e", joins: eventNames, key: "e.uuid", columns: eventColumns}
	l.order = []term{{"e.created", true}, {"e.uuid", true}}
	if f.User != uuid.Nil {
		l.where.add("(e.actor_uuid = ? OR e.user_uuid = ?)", f.User, f.User)
	}
	if f.Organisation != uuid.Nil {
		organisation, customer := f.Organisation, f.Organisation
		found, err := find[CallManagingOrganisation](q.with(ctx), "uuid = ? OR customer_uuid = ?", organisation, customer)
		if err != nil {
			return err
		}
		if found != nil {
			organisation, customer = found.UUID, found.CustomerUUID
		}
		l.where.add("(e.organisation_uuid = ? OR e.customer_uuid = ?)", organisation, customer)
	}
	if !f.Since.IsZero() {
		l.where.add("e.created >= ?", truncate(f.Since))
	}
	next := l
	for size := ImportBatch; ; size = min(2*size, mostEvents) {
		batch, err := rows[Event](ctx, q, next, false, int64(size), 0)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, event := range batch {
			if err := visit(event); err != nil {
				return err
			}
		}
		last := batch[len(batch)-1]
		next.where = where{slices.Clone(l.where.conditions), slices.Clone(l.where.arguments)}
		next.where.add("(e.created, e.uuid) < (?, ?)", last.Created, last.UUID)
	}
}

// RemoveEvents removes the oldest audit events before a time, at most limit of them, and returns how many there were.
// It leaves no event itself. Several processes may do it at once: each takes what the others have not.
func (s *Store) RemoveEvents(ctx context.Context, before time.Time, limit int) (int, error) {
	var oldest []uuid.UUID
	err := s.Write(ctx, Actor{}, func(tx *Tx) error {
		err := tx.db.Model(&AuditEvent{}).Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"}).
			Where("created < ?", truncate(before)).Order("created, uuid").Limit(limit).Pluck("uuid", &oldest).Error
		if err != nil || len(oldest) == 0 {
			return err
		}
		return tx.db.Where("uuid IN ?", oldest).Delete(&AuditEvent{}).Error
	})
	if err != nil {
		return 0, err
	}
	return len(oldest), nil
}
