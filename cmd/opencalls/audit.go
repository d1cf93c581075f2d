package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

type auditCommand struct {
	DatabaseFlags
	Organisation uuid.UUID `env:"-" placeholder:"UUID" help:"What was done to this organisation, to its customer, or to roles on them; the UUID of either."`
	User         string    `env:"-" placeholder:"USERNAME" help:"What this user did, and what was done to them; a username or a UUID."`
	Since        string    `env:"-" placeholder:"TIME" help:"What was done since then: a time such as 2027-01-31T00:00:00Z, or how long ago, such as 24h."`
	Limit        int       `env:"-" default:"100" help:"How many events to list; 0 is all."`
	Output       string    `env:"-" default:"text" enum:"text,json" help:"Format of a line: text, or json, an object."`

	since time.Time
	ago   time.Duration
}

// AfterApply reads --since, and refuses what can't be.
func (c *auditCommand) AfterApply() (err error) {
	if c.Limit < 0 {
		return errors.New("--limit: must not be negative")
	}
	if c.Since == "" {
		return nil
	}
	if c.since, err = time.Parse(time.RFC3339, c.Since); err == nil {
		return nil
	}
	if c.ago, err = time.ParseDuration(c.Since); err == nil && c.ago > 0 {
		return nil
	}
	return fmt.Errorf("--since: want a time such as 2027-01-31T00:00:00Z, or how long ago, such as 24h, not %q", c.Since)
}

// errEnough ends a list that goes on.
var errEnough = errors.New("enough")

// Run prints a line for each event, the newest first.
func (c *auditCommand) Run(env environment) error {
	return c.withMigrated(env, func(s *store.Store) error {
		filter := store.EventFilter{Organisation: c.Organisation, Since: c.since}
		if c.ago > 0 {
			filter.Since = s.Now().Add(-c.ago)
		}
		var err error
		if filter.User, err = c.userUUID(env, s); err != nil {
			return err
		}
		listed := 0
		err = s.EachEvent(env.ctx, filter, func(e store.Event) error {
			if c.Limit > 0 && listed == c.Limit {
				return errEnough
			}
			listed++
			return c.print(env, e)
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
}

// userUUID is who --user names: somebody who is there, or any UUID. It is uuid.Nil without the flag.
func (c *auditCommand) userUUID(env environment, s *store.Store) (uuid.UUID, error) {
	if c.User == "" {
		return uuid.Nil, nil
	}
	user, err := s.UserByName(env.ctx, c.User)
	if !errors.Is(err, store.ErrNotFound) {
		return user.UUID, err
	}
	id, err := uuid.Parse(c.User)
	if err != nil {
		return uuid.Nil, fmt.Errorf("there is no user %s", c.User)
	}
	return id, nil
}

// print prints an event.
func (c *auditCommand) print(env environment, e store.Event) error {
	e.Created = e.Created.UTC()
	line := auditText(e)
	if c.Output == "json" {
		text, err := json.Marshal(auditEntry(e))
		if err != nil {
			return err
		}
		line = string(text)
	}
	_, err := fmt.Fprintln(env.stdout, line)
	return err
}

// auditEntry is an event in JSON.
type auditEntry struct {
	UUID             uuid.UUID  `json:"uuid"`
	Created          time.Time  `json:"created"`
	ActorUUID        *uuid.UUID `json:"actor_uuid"`
	ActorUsername    *string    `json:"actor_username"`
	Action           string     `json:"action"`
	ObjectType       string     `json:"object_type"`
	ObjectUUID       string     `json:"object_uuid"`
	UserUUID         *uuid.UUID `json:"user_uuid"`
	Username         *string    `json:"user_username"`
	RoleUUID         *uuid.UUID `json:"role_uuid"`
	RoleName         *string    `json:"role_name"`
	OrganisationUUID *uuid.UUID `json:"organisation_uuid"`
	CustomerUUID     *uuid.UUID `json:"customer_uuid"`
	CustomerName     *string    `json:"customer_name"`
	Details          string     `json:"details"`
	RequestID        string     `json:"request_id"`
}

// auditText is an event as six columns: when, who, what, on what, details, and the request's id.
func auditText(e store.Event) string {
	who := "command line"
	if e.ActorUUID != nil {
		who = named(e.ActorUsername, e.ActorUUID)
	}
	var objects []string
	if e.UserUUID != nil {
		objects = append(objects, named(e.Username, e.UserUUID))
	}
	if e.RoleUUID != nil {
		objects = append(objects, named(e.RoleName, e.RoleUUID))
	}
	switch {
	case e.OrganisationUUID != nil:
		objects = append(objects, named(e.CustomerName, e.OrganisationUUID))
	case e.CustomerUUID != nil:
		objects = append(objects, named(e.CustomerName, e.CustomerUUID))
	}
	if len(objects) == 0 {
		objects = []string{e.ObjectUUID}
	}
	columns := []string{
		e.Created.Format("2006-01-02T15:04:05.000000Z07:00"), who, e.Action, strings.Join(objects, ", "), e.Details, e.RequestID,
	}
	for i, column := range columns {
		columns[i] = strings.Map(graphic, column)
	}
	return strings.Join(columns, "\t")
}

// named is a UUID with its object's name, where that is known.
func named(name *string, id *uuid.UUID) string {
	if name == nil {
		return id.String()
	}
	return fmt.Sprintf("%s (%s)", *name, id)
}

// graphic replaces what would make a line of a name look like another line.
func graphic(r rune) rune {
	if unicode.IsGraphic(r) {
		return r
	}
	return unicode.ReplacementChar
}

// AuditFlags say how long the server keeps audit events.
type AuditFlags struct {
	Keep time.Duration `name:"audit-keep" default:"0s" help:"Delete audit events that are older than this, such as 8760h; 0 keeps them for ever."`
}

// AfterApply refuses a time in which the server would hardly look for old events.
func (f AuditFlags) AfterApply() error {
	if f.Keep != 0 && f.Keep < time.Hour {
		return errors.New("--audit-keep: want at least 1h, or 0 to keep events for ever")
	}
	return nil
}

// How old audit events are removed: as many in a transaction, a pause in which requests get their turn, and a look
// for more once in a while.
const (
	auditBatch    = 1000
	auditPause    = 100 * time.Millisecond
	auditInterval = time.Hour
)

// startRemoving removes old audit events in the background, until it is stopped.
func (f AuditFlags) startRemoving(ctx context.Context, s *store.Store, log *slog.Logger) (stop func()) {
	if f.Keep == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		for wait := time.Duration(0); sleep(ctx, wait); wait = auditInterval {
			f.removeOld(ctx, s, log)
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// removeOld removes all events that are too old by now.
func (f AuditFlags) removeOld(ctx context.Context, s *store.Store, log *slog.Logger) {
	before, removed, err := s.Now().Add(-f.Keep), 0, error(nil)
	for batch := auditBatch; err == nil && batch == auditBatch && sleep(ctx, auditPause); removed += batch {
		batch, err = s.RemoveEvents(ctx, before, auditBatch)
	}
	if removed > 0 {
		log.Info("old audit events removed", "events", removed)
	}
	if err != nil && ctx.Err() == nil {
		log.Warn("old audit events are not removed, for now", "error", err.Error())
	}
}

// sleep waits, and says whether the context goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
