package opencalls_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	testFunction = regexp.MustCompile(`(?m)^func (Test[A-Z]\w*)\(`)
	testNamed    = regexp.MustCompile("`(Test[A-Z]\\w*)`")
	testOf       = regexp.MustCompile("`([a-z/]+)`: `(Test[A-Z]\\w*)`")
)

// tests are the packages that have a test of a name, as directories.
func tests(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		for _, name := range testFunction.FindAllStringSubmatch(string(content), -1) {
			found[name[1]] = append(found[name[1]], filepath.ToSlash(filepath.Dir(path)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The pages that say what is promised name tests that exist, in the package that they name.
func TestPagesNameTests(t *testing.T) {
	packages := tests(t)
	for page, least := range map[string]int{"docs/security.md": 20, "docs/operations.md": 10} {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		named := testNamed.FindAllStringSubmatch(string(content), -1)
		if len(named) < least {
			t.Errorf("%s names only %d tests", page, len(named))
		}
		for _, name := range named {
			if len(packages[name[1]]) == 0 {
				t.Errorf("%s: there is no %s", page, name[1])
			}
		}
		for _, name := range testOf.FindAllStringSubmatch(string(content), -1) {
			if !slices.Contains(packages[name[2]], name[1]) {
				t.Errorf("%s: %s is not in %s, but in %v", page, name[2], name[1], packages[name[2]])
			}
		}
	}
}
