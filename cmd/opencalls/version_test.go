package main

import (
	"debug/buildinfo"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

func TestVersion(t *testing.T) {
	out := programtest.Run(t, "version")
	if !strings.HasPrefix(out, "opencalls dev (revision unknown of unknown time, go") {
		t.Errorf("version: %q", out)
	}
	if flag := programtest.Run(t, "--version"); flag != out {
		t.Errorf("--version: %q", flag)
	}
}

// Each module that is linked into the program has its section among the licences.
func TestLicenses(t *testing.T) {
	out := programtest.Run(t, "version", "--licenses")
	linked, err := buildinfo.ReadFile(programtest.Binary)
	if err != nil {
		t.Fatal(err)
	}
	if len(linked.Deps) < 10 {
		t.Errorf("only %d modules are linked", len(linked.Deps))
	}
	titles := []string{"Go's standard library", "GNU C Library, in the released builds", "Swagger UI"}
	for _, module := range linked.Deps {
		titles = append(titles, module.Path)
	}
	line := strings.Repeat("=", 80)
	for _, title := range titles {
		_, section, found := strings.Cut(out, "\n"+line+"\n"+title+"\n")
		text, _, _ := strings.Cut(section, line)
		if !found || len(text) < 200 {
			t.Errorf("%s has no licence: %q", title, text)
		}
	}
	if !strings.HasPrefix(out, "MIT License") && !strings.HasPrefix(out, "The MIT License") {
		t.Errorf("the program's own licence does not come first: %.80q", out)
	}
}
