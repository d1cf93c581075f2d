package plans_test

import (
	"slices"
	"testing"

	"github.com/opencalls/opencalls/store/storetest"
)

// A plan that was made while a table had a page reads all of it; an import that kept such a plan
// would take the square of its rows.
func TestImportIntoFewRowsOnPostgres(t *testing.T) {
	if !slices.Contains(storetest.Engines(), storetest.Postgres) {
		return // the other half was asked for
	}
	w := &world{engine: storetest.Postgres, url: storetest.MigratedURL(t, storetest.Postgres)}
	run(t, "import", "--database-url", w.url, "../../fixture/demo.yaml")
	w.open(t)
	w.exec(t, "VACUUM ANALYZE")
	before := w.scanned(t)
	path, _ := writeDataset(t, 1000)
	run(t, "import", "--database-url", w.url, path)
	for table, rows := range w.scanned(t) {
		var all int
		if err := w.db.QueryRow("SELECT count(*) FROM " + table).Scan(&all); err != nil {
			t.Fatal(err)
		}
		if n := rows - before[table]; n > 10*all {
			t.Errorf("%d rows of %s, which has %d, are read by scans of all", n, table, all)
		}
	}
}
