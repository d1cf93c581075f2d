//go:build release

// Package release makes a release as `make release` does, and installs it as its readers would: in an
// empty Debian, as an archive and as a package; in a container's file system; behind haproxy.
//
// `make packages` runs the tests, as root and on Debian.
package release

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const version = "0.1.0"

var (
	source = "../.." // the sources
	dist   string    // what make release made of them
	debian string    // the root of a Debian with nothing but its base
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	work, err := os.MkdirTemp("", "opencalls-release-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	dist, debian = filepath.Join(work, "dist"), filepath.Join(work, "debian")
	installed := make(chan error)
	go func() {
		installed <- command("debootstrap", "--variant=minbase", "--include=ca-certificates,gcc,git,libc6-dev,make", "bookworm", debian)
	}()
	made := makeRelease(filepath.Join(work, "sources"), dist)
	if err := errors.Join(made, <-installed); err != nil {
		fmt.Println(err)
		return 1
	}
	return m.Run()
}

// command runs a program; the error holds what it printed.
func command(line ...string) error {
	out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(line, " "), err, out)
	}
	return nil
}

// output is what a program prints; the test ends where it fails.
func output(t *testing.T, line ...string) string {
	t.Helper()
	out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(line, " "), err, out)
	}
	return string(out)
}

// copySources copies the sources to a folder, with what is not committed yet.
func copySources(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return command("sh", "-ec", `cd "$0"; git ls-files -z -co --exclude-standard | tar c --null -T - .git | tar x -C "$1"`, source, folder)
}

// makeRelease has the sources copied to a folder, and a release made there and moved to target.
func makeRelease(folder, target string) error {
	err := copySources(folder)
	if err == nil {
		err = command("make", "-C", folder, "release", "VERSION="+version)
	}
	if err == nil {
		err = os.Rename(filepath.Join(folder, "dist"), target)
	}
	return err
}
