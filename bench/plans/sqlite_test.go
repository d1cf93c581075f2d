package plans_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// The indexes that may be walked along from one end by a statement with a LIMIT: those of the
// lists' orders, without the rows where it has an OFFSET too, and for a keyword the one that is
// looked through for it.
var (
	firstIndex  = regexp.MustCompile(`USING INDEX (call_managing_organisations_customer|customers_\w+)_key_idx$|USING INDEX (customers_created|users_username_key_uuid)_idx$`)
	orderIndex  = regexp.MustCompile(`USING COVERING INDEX (call_managing_organisations_customer|customers_\w+)_key_idx$`)
	searchIndex = regexp.MustCompile(`USING COVERING INDEX (call_managing_organisations_customer|customers)_search_idx$`)
)

// step is one of SQLite's query plan, or of its program.
type step struct {
	ID, Parent     int
	Detail, Opcode string
	P1             int // of the program: the cursor that the step is about
}

// faultsSQLite says what in a statement's plan grows with the data. The page that a statement
// found may be sorted, which the step LIST SUBQUERY says, since the rows of a page are looked up
// by their ids.
func (w *world) faultsSQLite(t *testing.T, o operation, s storetest.Statement) []string {
	t.Helper()
	var program, plan []step
	w.scan(t, &program, "EXPLAIN "+s.Text, arguments(s)...)
	does := func(opcodes ...string) bool {
		return slices.ContainsFunc(program, func(s step) bool { return slices.Contains(opcodes, s.Opcode) })
	}
	if does("OpenWrite") {
		// A change looks so for what refers to a removed row, of which a query plan says nothing. It may gather what
		// it found first, and walk along that.
		gathered := map[int]bool{}
		for _, step := range program {
			switch step.Opcode {
			case "OpenEphemeral":
				gathered[step.P1] = true
			case "Rewind", "Last":
				if !gathered[step.P1] {
					return []string{"walks along all of a table"}
				}
			}
		}
		return nil
	}
	limited, skips := does("DecrJumpZero"), does("OffsetLimit")
	counts := does("AggStep") && !limited
	w.scan(t, &plan, "EXPLAIN QUERY PLAN "+s.Text, arguments(s)...)
	var faults []string
	pageFound := -1 // the step that finds a page's ids
	for _, step := range plan {
		table := strings.Fields(step.Detail + " -")[1]
		walks := strings.HasSuffix(step.Detail, "users_inactive_uuid_idx") || // of deactivated users alone
			limited && orderIndex.MatchString(step.Detail) ||
			limited && !skips && firstIndex.MatchString(step.Detail) ||
			o.scans && searchIndex.MatchString(step.Detail) ||
			!limited && o.grows && strings.HasPrefix(step.Detail, "SCAN customers USING COVERING INDEX")
		switch {
		case limited && strings.HasPrefix(step.Detail, "LIST SUBQUERY"):
			pageFound = step.ID
		case strings.HasPrefix(step.Detail, "SCAN") && !walks && !slices.Contains(tiny, table),
			strings.Contains(step.Detail, "TEMP B-TREE") && !o.members &&
				(pageFound < 0 || step.Parent == pageFound),
			counts && !o.joins && strings.HasPrefix(step.Detail, "SEARCH") &&
				!strings.Contains(step.Detail, "COVERING INDEX"):
			faults = append(faults, step.Detail)
		}
	}
	return faults
}
