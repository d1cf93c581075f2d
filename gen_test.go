package opencalls_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// gen/ is what the generator makes of openapi.yaml: `make generate`.
func TestGeneratedCodeIsFresh(t *testing.T) {
	for config, file := range map[string]string{
		"oapi-codegen.yaml":        "gen/api.gen.go",
		"oapi-codegen-client.yaml": "gen/client/client.gen.go",
	} {
		command := exec.Command("go", "tool", "oapi-codegen", "-config", config, "openapi.yaml")
		var errors bytes.Buffer
		command.Stderr = &errors
		want, err := command.Output() // the configuration names no file, so that it prints
		if err != nil {
			t.Fatalf("%v\n%s", err, errors.String())
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what openapi.yaml says: run `make generate`", file)
		}
	}
}
