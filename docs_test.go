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

var snippet = regexp.MustCompile("\\[`(examples/[^`]+)`\\][^\n]*:\n\n```\\w+\n((?s:.*?)\n)```\n")

// Each snippet of the page for client authors is a file that make examples runs, or a part of one.
func TestSnippetsAreFiles(t *testing.T) {
	page, err := os.ReadFile("docs/testing-your-client.md")
	if err != nil {
		t.Fatal(err)
	}
	found := snippet.FindAllStringSubmatch(string(page), -1)
	if blocks := strings.Count(string(page), "\n```\n"); len(found) != blocks {
		t.Errorf("%d of %d snippets name their file", len(found), blocks)
	}
	for _, match := range found {
		content, err := os.ReadFile(filepath.Join("docs", match[1]))
		if err != nil {
			t.Error(err)
		}
		if !strings.Contains(string(content), match[2]) {
			t.Errorf("this is not in %s:\n%s", match[1], match[2])
		}
	}
}
