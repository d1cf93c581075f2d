package opencalls_test

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/opencalls/opencalls"

// layers are the program's packages from the lowest to the highest, and the packages of the module
// that each may import.
var layers = map[string][]string{
	"":                {}, // openapi.yaml
	"gen":             {},
	"gen/client":      {},
	"gen/sandbox":     {},
	"store":           {},
	"images":          {},
	"passwords":       {},
	"access":          {"store"},
	"fixture":         {"images", "passwords", "store"},
	"handlers":        {"access", "gen", "images", "passwords", "store"},
	"server":          {"", "access", "gen", "handlers", "images", "store"},
	"sandbox":         {"access", "fixture", "gen", "gen/sandbox", "handlers", "images", "server", "store"},
	"cmd/opencalls":   {"", "fixture", "gen", "images", "passwords", "sandbox", "server", "store"},
	"store/storetest": {"store"},
}

// foreign are libraries that some packages must not import: the store knows no HTTP, handlers hold
// no SQL and no Echo, and access rules read nothing.
var foreign = map[string][]string{
	"store":    {"net/http", "github.com/labstack/echo/v4", "github.com/getkin/kin-openapi/openapi3"},
	"access":   {"net/http", "database/sql", "gorm.io/gorm", "github.com/labstack/echo/v4"},
	"handlers": {"database/sql", "gorm.io/gorm", "github.com/labstack/echo/v4", "github.com/getkin/kin-openapi/openapi3"},
	"images":   {"net/http", "gorm.io/gorm"},
	"fixture":  {"net/http", "database/sql", "gorm.io/gorm", "github.com/labstack/echo/v4"},
	"server":   {"database/sql", "gorm.io/gorm"},
	"sandbox":  {"database/sql", "gorm.io/gorm"},
}

type goPackage struct {
	ImportPath string
	Name       string
	Imports    []string
}

// packages lists the module's packages, without their tests, by their directories.
func packages(t *testing.T) map[string]goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{.Name}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]goPackage{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		list[strings.TrimPrefix(strings.TrimPrefix(fields[0], module), "/")] = goPackage{fields[0], fields[1], fields[2:]}
	}
	return list
}

// Dependencies point one way.
func TestDependencies(t *testing.T) {
	list := packages(t)
	for _, name := range slices.Sorted(maps.Keys(layers)) {
		if _, there := list[name]; !there {
			t.Errorf("there is no package %q", name)
		}
	}
	for name, p := range list {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "helper", "misc"}, p.Name) {
			t.Errorf("%s says nothing about what is in it", p.ImportPath)
		}
		allowed, known := layers[name]
		if !known && !forTests(p) {
			t.Errorf("%q has no place among the layers", name)
		}
		for _, imported := range p.Imports {
			own, ours := strings.CutPrefix(imported, module)
			own = strings.TrimPrefix(own, "/")
			if known && ours && !slices.Contains(allowed, own) || slices.Contains(foreign[name], imported) {
				t.Errorf("%q imports %q", name, imported)
			}
		}
	}
}

// forTests says whether a package is no part of the program: it helps tests, has only tests, or is
// the benchmark.
func forTests(p goPackage) bool {
	return len(p.Imports) == 0 || slices.Contains(p.Imports, "testing") || strings.HasPrefix(p.ImportPath, module+"/bench")
}
