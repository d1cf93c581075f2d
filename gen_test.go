package opencalls_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// gen/ is what the generator makes of openapi.yaml and sandbox.yaml: `make generate`.
func TestGeneratedCodeIsFresh(t *testing.T) {
	for _, made := range []struct{ config, file, from string }{
		{"oapi-codegen.yaml", "gen/api.gen.go", "openapi.yaml"},
		{"oapi-codegen-client.yaml", "gen/client/client.gen.go", "openapi.yaml"},
		{"oapi-codegen-sandbox.yaml", "gen/sandbox/sandbox.gen.go", "sandbox.yaml"},
	} {
		command := exec.Command("go", "tool", "oapi-codegen", "-config", made.config, made.from)
		var errors bytes.Buffer
		command.Stderr = &errors
		want, err := command.Output() // the configuration names no file, so that it prints
		if err != nil {
			t.Fatalf("%v\n%s", err, errors.String())
		}
		got, err := os.ReadFile(made.file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what %s says: run `make generate`", made.file, made.from)
		}
	}
}

// The licences that the program prints are those of what is linked into it: `make generate`.
func TestLicensesAreFresh(t *testing.T) {
	want, err := exec.Command("tools/licenses.sh").Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("cmd/opencalls/licenses.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("cmd/opencalls/licenses.txt is not what tools/licenses.sh says: run `make generate`")
	}
}
