package store_test

import (
	"fmt"
	"reflect"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// exported is the rows of an export, if they are of this type.
func exported[T any](e store.Export) []T {
	rows, _ := e.Rows.([]T)
	return rows
}

var exportScenarios = []scenario{
	{"kinds in the order of the import file, rows by uuid, everything once", func(r *rig) {
		r.world.token(r.populate().user)
		r.world.organisations(store.ImportBatch + 1)
		var kinds []string
		seen := map[string]int{}
		last := ""
		r.ok(r.store.Export(r.ctx, func(e store.Export) error {
			kind, rows := e.Kind.Name, reflect.ValueOf(e.Rows)
			if seen[kind] == 0 {
				kinds, last = append(kinds, kind), ""
			}
			seen[kind] += rows.Len()
			seen["tokens"] += len(e.Tokens)
			if rows.Len() > store.ImportBatch {
				r.Errorf("%d %s at once", rows.Len(), kind)
			}
			for n := range rows.Len() {
				id := rows.Index(n).FieldByName("UUID").Interface().(uuid.UUID).String()
				if id <= last {
					r.Errorf("%s: %s comes after %s", kind, id, last)
				}
				last = id
			}
			return nil
		}))
		r.same(kinds, []string{
			"customers", "users", "roles", "call_managing_organisations", "user_roles", "calls", "rounds", "proposals", "reviews",
			"requested_offerings",
		})
		for _, table := range append(kinds, "tokens") {
			r.same(fmt.Sprint(table, seen[table]), fmt.Sprint(table, r.count(table)))
		}
	}},

	{"of one state, whatever is written meanwhile", func(r *rig) {
		all := r.world.organisations(3)
		var organisations int
		r.ok(r.store.Export(r.ctx, func(e store.Export) error {
			if e.Kind.Name == "customers" { // the organisations come later
				r.write(remove(all[0].UUID))
			}
			organisations += len(exported[store.CallManagingOrganisation](e))
			return nil
		}))
		r.same(organisations, 3)
		r.same(r.count("call_managing_organisations"), 2)
	}},
}
