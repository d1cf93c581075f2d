package opencalls_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/opencalls/opencalls"

// layers are the packages from the lowest to the highest, and what each may import of the
// module.
var layers = map[string][]string{
	"":                {}, // openapi.yaml
	"gen":             {},
	"store":           {},
	"images":          {},
	"access":          {"store"},
	"fixture":         {"images", "store"},
	"handlers":        {"access", "gen", "images", "store"},
	"server":          {"", "access", "gen", "handlers", "images", "store"},
	"cmd/opencalls":   {"", "fixture", "gen", "images", "server", "store"},
	"store/storetest": {"store"},
}

// foreign are packages that some of ours must not import: the store knows no HTTP, handlers
// hold no SQL and no Echo, and rules read nothing.
var foreign = map[string][]string{
	"store":    {"net/http", "github.com/labstack/echo/v4", "github.com/getkin/kin-openapi/openapi3"},
	"access":   {"net/http", "database/sql", "gorm.io/gorm", "github.com/labstack/echo/v4"},
	"handlers": {"database/sql", "gorm.io/gorm", "github.com/labstack/echo/v4", "github.com/getkin/kin-openapi/openapi3"},
	"images":   {"net/http", "gorm.io/gorm"},
	"fixture":  {"net/http", "database/sql", "gorm.io/gorm", "github.com/labstack/echo/v4"},
	"server":   {"database/sql", "gorm.io/gorm"},
}

type goPackage struct {
	ImportPath string
	Name       string
	Imports    []string
}

// packages lists the module's packages, without their tests, by their directories.
func packages(t *testing.T) map[string]goPackage {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Name,Imports", "./...")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	list := map[string]goPackage{}
	for decoder := json.NewDecoder(out); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		list[strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")] = p
	}
	if err := command.Wait(); err != nil {
		t.Fatal(err)
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

// forTests says that a package is no part of the program: it helps tests, holds nothing but
// tests, or measures.
func forTests(p goPackage) bool {
	return len(p.Imports) == 0 || slices.Contains(p.Imports, "testing") || strings.HasPrefix(p.ImportPath, module+"/bench")
}

// Each operation has its method in the file that is called like its resource:
// call_managing_organisations_create is in handlers/call_managing_organisations.go or, after a
// further word, in one beside it.
func TestEveryOperationHasItsFile(t *testing.T) {
	methods := map[string]string{} // and their files
	files, err := filepath.Glob("handlers/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range tree.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv != nil {
				methods[strings.ToLower(function.Name.Name)] = path.Base(file)
			}
		}
	}
	for p, item := range load(t).Paths.Map() {
		resource := strings.ReplaceAll(strings.Split(p, "/")[2], "-", "_")
		for _, op := range item.Operations() {
			file, found := methods[strings.ToLower(strings.ReplaceAll(op.OperationID, "_", ""))]
			if !found || !strings.HasPrefix(op.OperationID, resource) || !strings.HasPrefix(file, resource) {
				t.Errorf("%s of %s is in %q", op.OperationID, p, file)
			}
		}
	}
}
