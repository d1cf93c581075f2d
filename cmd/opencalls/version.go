package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"runtime"
)

// What a build is stamped with.
var (
	version   = "dev"
	revision  = "" // the commit, with -dirty where files differ from it
	committed = "" // the commit's time, in RFC 3339
)

// licenses are the notices and licences of all that is linked into the program.
//
//go:embed licenses.txt
var licenses string

type versionCommand struct {
	Licenses bool `env:"-" help:"Print the licences of all that is in the program."`
}

// Run prints the version, or the licences.
func (c versionCommand) Run(env environment) error {
	text := versionLine() + "\n"
	if c.Licenses {
		text = licenses
	}
	_, err := io.WriteString(env.stdout, text)
	return err
}

// versionLine says which build this is.
func versionLine() string {
	return fmt.Sprintf("opencalls %s (revision %s of %s, %s %s/%s)", version, cmp.Or(revision, "unknown"),
		cmp.Or(committed, "unknown time"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
