//go:build release

package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unpacked is the folder of the archive for this machine.
func unpacked(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	output(t, "tar", "-xzf", filepath.Join(dist, "opencalls-"+version+"-linux-amd64.tar.gz"), "-C", folder)
	return filepath.Join(folder, "opencalls-"+version+"-linux-amd64")
}

// The shells read their scripts. Bash's is tried in cmd/opencalls.
func TestShells(t *testing.T) {
	folder := filepath.Join(unpacked(t), "completions")
	output(t, "bash", "-n", folder+"/opencalls.bash")
	for line, want := range map[string]string{
		"opencalls ser":                "serve\tServe the API.\n",
		"opencalls token re":           "revoke\tRevoke every token of a user.\n",
		"opencalls serve --log-level ": "debug\t",
		"opencalls serve --log-f":      "--log-format\t",
		"opencalls completion f":       "fish\n",
	} {
		if out := output(t, "fish", "-c", "source $argv[1]; complete -C $argv[2]", folder+"/opencalls.fish", line); !strings.HasPrefix(out, want) {
			t.Errorf("fish: %q: %s", line, out)
		}
	}
	// zsh completes in a terminal alone: here its functions only print what they are given.
	for line, want := range map[string]string{
		"opencalls token re":             "list:List the tokens: username, when it was made, when it ends.\n",
		"opencalls serve --log-level de": "debug\ninfo\nwarn\nerror\n",
		"opencalls serve --import x":     "files\n",
	} {
		script := `compdef() {}; _files() { echo files }; _describe() { print -l -- "${(@P)2}" }
			source $1; words=(${=2}); CURRENT=$#words; _opencalls`
		if out := output(t, "zsh", "-fc", script, "zsh", folder+"/_opencalls", line); !strings.HasPrefix(out, want) {
			t.Errorf("zsh: %q: %s", line, out)
		}
	}
}

// groff finds nothing wrong with the manual page.
func TestManualPage(t *testing.T) {
	page := filepath.Join(unpacked(t), "opencalls.1")
	if out := output(t, "groff", "-man", "-Tutf8", "-ww", "-z", page); out != "" {
		t.Error(out)
	}
}

// The variables of the example configuration are flags of serve.
func TestExampleConfiguration(t *testing.T) {
	folder := unpacked(t)
	file, err := os.ReadFile(folder + "/opencalls.env")
	if err != nil {
		t.Fatal(err)
	}
	help := output(t, folder+"/opencalls", "serve", "--help")
	variables := 0
	for line := range strings.Lines(string(file)) {
		name, _, isSet := strings.Cut(strings.TrimPrefix(line, "#"), "=")
		if !isSet || !strings.HasPrefix(name, "OPENCALLS_") {
			continue
		}
		variables++
		if !strings.Contains(help, "$"+name) {
			t.Errorf("no flag is set by %s", name)
		}
	}
	if variables < 10 {
		t.Errorf("only %d variables", variables)
	}
}
