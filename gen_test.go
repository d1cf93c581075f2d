package opencalls_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// gen/ is what the generator makes of openapi.yaml now: `make generate`.
func TestGeneratedCodeIsFresh(t *testing.T) {
	command := exec.Command("go", "tool", "oapi-codegen", "-config", "oapi-codegen.yaml", "openapi.yaml")
	var errors bytes.Buffer
	command.Stderr = &errors
	want, err := command.Output() // oapi-codegen.yaml names no file, so that it prints
	if err != nil {
		t.Fatalf("%v\n%s", err, errors.String())
	}
	got, err := os.ReadFile("gen/api.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("gen/api.gen.go is not what openapi.yaml says: run `make generate`")
	}
}
