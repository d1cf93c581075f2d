package plans_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// mostPages is what the events of a large organisation, some thousands, and their names may take on Postgres.
const mostPages = 20_000

// errEnough ends a list of events that goes on.
var errEnough = errors.New("enough")

// checkAudit checks how events are listed and removed where each organisation and each role granted has one.
func (w *world) checkAudit(t *testing.T) {
	t.Helper()
	w.exec(t, `INSERT INTO audit_events (uuid, created, request_id, action, object_type, object_uuid,
			customer_uuid, organisation_uuid, details)
		SELECT uuid, created, '', 'call_managing_organisation.import', 'call_managing_organisation', CAST(uuid AS text),
			customer_uuid, uuid, '' FROM call_managing_organisations`)
	w.exec(t, `INSERT INTO audit_events (uuid, created, actor_uuid, request_id, action, object_type, object_uuid,
			user_uuid, role_uuid, customer_uuid, organisation_uuid, details)
		SELECT uuid, created, created_by_uuid, 'request', 'user_role.create', 'user_role', CAST(uuid AS text),
			user_uuid, role_uuid, customer_uuid, organisation_uuid, '' FROM user_roles`)
	w.settle(t)
	customer := uuid.MustParse(w.customer)
	since := time.Now().Add(-24 * time.Hour)
	for name, f := range map[string]store.EventFilter{
		"all":                         {},
		"since":                       {Since: since},
		"user":                        {User: w.known.Newcomers[0]},
		"nobody":                      {User: uuid.New()},
		"organisation":                {Organisation: w.known.Organisation},
		"customer":                    {Organisation: customer},
		"large organisation":          {Organisation: w.known.Crowded},
		"organisation, since":         {Organisation: w.known.Organisation, Since: since},
		"organisation of user, since": {Organisation: w.known.Organisation, User: w.known.Newcomers[0], Since: since},
	} {
		read := func() {
			visited := 0
			err := w.store.EachEvent(t.Context(), f, func(store.Event) error {
				if visited++; visited > store.ImportBatch {
					return errEnough
				}
				return nil
			})
			if err != nil && !errors.Is(err, errEnough) {
				t.Fatal(err)
			}
		}
		w.checkEvents(t, name, f, read)
	}
	w.checkEvents(t, "remove", store.EventFilter{}, func() {
		if n, err := w.store.RemoveEvents(t.Context(), time.Now(), 1000); err != nil || n != 1000 {
			t.Fatalf("%d events removed: %v", n, err)
		}
	})
}

// checkEvents checks that no statement reads all of a table that grows. Events of a user or an organisation are
// found first, and sorted then.
func (w *world) checkEvents(t *testing.T, name string, f store.EventFilter, run func()) {
	t.Helper()
	w.statements.Reset()
	run()
	for _, s := range w.statements.WithArguments() {
		if !isQuery(s) && !strings.HasPrefix(s.Text, "DELETE") {
			continue
		}
		var faults []string
		if w.engine == storetest.Postgres {
			plan := w.explain(t, s)
			faults = plan.faults(operation{sorts: true})
			if pages := plan.Hit + plan.Read; pages > mostPages {
				faults = append(faults, fmt.Sprintf("reads %d pages", pages))
			}
		} else {
			var plan []step
			w.scan(t, &plan, "EXPLAIN QUERY PLAN "+s.Text, arguments(s)...)
			for _, step := range plan {
				table := strings.Fields(step.Detail + " -")[1]
				found := f.User != uuid.Nil || f.Organisation != uuid.Nil
				walks := !found && step.Detail == "SCAN e USING INDEX audit_events_created_idx"
				if strings.HasPrefix(step.Detail, "SCAN") && !walks && !slices.Contains(tiny, table) ||
					strings.Contains(step.Detail, "TEMP B-TREE") && !found {
					faults = append(faults, step.Detail)
				}
			}
		}
		for _, fault := range faults {
			t.Errorf("audit: %s: %s: %s", name, fault, s.Text)
		}
	}
}
