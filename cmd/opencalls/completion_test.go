package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
)

// Bash offers commands, flags and the values of flags.
func TestBashCompletion(t *testing.T) {
	script := programtest.Run(t, "completion", "bash")
	for line, want := range map[string]string{
		`opencalls ser`:                         "serve",
		`opencalls user ""`:                     "create list password deactivate --help --version",
		`opencalls token re`:                    "revoke",
		`opencalls serve --log-f`:               "--log-format",
		`opencalls serve --log-level ""`:        "debug info warn error",
		`opencalls serve --log-level = w`:       "warn",
		`opencalls serve --log-level =`:         "debug info warn error",
		`opencalls serve --listen x --log-le`:   "--log-level",
		`opencalls serve --import ""`:           "", // bash's own names of files
		`opencalls completion ""`:               "bash zsh fish --help --version",
		`opencalls user create --staff --full-`: "--full-name",
	} {
		command := exec.Command("bash", "-c", script+"\nCOMP_WORDS=("+line+"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _opencalls; echo \"${COMPREPLY[*]}\"")
		out, err := command.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", line, got, err, want)
		}
	}
	if r := programtest.Command(t, "completion", "tcsh"); r.Status != 2 || !strings.Contains(r.Stderr, `"bash","zsh","fish"`) {
		t.Errorf("exit %d: %s", r.Status, r.Stderr)
	}
}

// The manual page names each command, each flag and its variable, and why the program ends.
func TestManual(t *testing.T) {
	page := programtest.Run(t, "man")
	for _, want := range []string{
		".TH OPENCALLS 1", ".SS opencalls serve\n", ".SS opencalls user create <username>\n", ".SS opencalls import <files> ...\n",
		`\fB\-\-listen\fR \fIHOST:PORT\fR (default 127.0.0.1:8080; OPENCALLS_LISTEN)`, `\fB\-\-demo\fR (OPENCALLS_DEMO)`, ".SH EXIT STATUS\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// docs/flags.md has every flag of this version.
func TestFlagsPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/flags.md")
	if err != nil {
		t.Fatal(err)
	}
	if programtest.Run(t, "man", "--flags") != string(page) {
		t.Error("docs/flags.md is old: make generate")
	}
}
