package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type manualCommand struct {
	Flags bool `help:"Print the commands with their flags alone, in Markdown."`
}

// Run prints the manual page, in the man macros of roff, or the flags.
func (c manualCommand) Run(env environment, program *kong.Application) error {
	text := manual(program)
	if c.Flags {
		text = flagsPage(program)
	}
	_, err := io.WriteString(env.stdout, text)
	return err
}

// flagsPage is docs/flags.md.
func flagsPage(program *kong.Application) string {
	var out strings.Builder
	fmt.Fprint(&out, "# Every flag\n\nA flag counts more than its variable. `make generate` writes this page.\n")
	for _, command := range program.Leaves(true) {
		fmt.Fprintf(&out, "\n## opencalls %s\n\n%s\n", command.FullPath()[len("opencalls "):], command.Help)
		if len(command.Flags) > 0 {
			fmt.Fprint(&out, "\n| flag | variable | default | what it does |\n| --- | --- | --- | --- |\n")
		}
		for _, flag := range command.Flags {
			fmt.Fprintf(&out, "| `--%s` | %s | %s | %s |\n", flag.Name,
				code(strings.Join(flag.Envs, ", ")), code(flag.Default), strings.ReplaceAll(flag.Help, "|", `\|`))
		}
	}
	return out.String()
}

// code is a text as code in Markdown; "" stays.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

const manualIntroduction = `.SH DESCRIPTION
Serves Waldur's Call Managing Organisations API from a SQLite file or a Postgres database.
.PP
Each flag can be given as an environment variable too.
The service that the Debian package installs reads its variables from
.IR /etc/default/opencalls .
.PP
This starts a server with demo data, which is gone when it ends:
.PP
.RS
opencalls serve \-\-demo \-\-database\-url sqlite::memory:
.RE
.SH COMMANDS
`

const manualEnd = `.SH EXIT STATUS
.TP
0
All is well.
.TP
1
Something failed; one line on standard error says what.
.TP
2
The command line or the configuration is wrong. Nothing was opened.
.TP
3
.B opencalls migrate status
found steps that are missing or unknown.
`

// manual is the program's manual page.
func manual(program *kong.Application) string {
	day, _, _ := strings.Cut(committed, "T")
	var out strings.Builder
	fmt.Fprintf(&out, ".TH OPENCALLS 1 %q %q\n", day, "opencalls "+version)
	fmt.Fprintf(&out, ".SH NAME\nopencalls \\- %s\n", roff(program.Help))
	fmt.Fprintf(&out, ".SH SYNOPSIS\n.B opencalls\n.I COMMAND\n[flags]\n%s", manualIntroduction)
	for _, command := range program.Leaves(true) {
		fmt.Fprintf(&out, ".SS %s\n%s\n", roff(strings.TrimSuffix(command.FullPath()+" "+arguments(command), " ")), roff(command.Help))
		for _, argument := range command.Positional {
			fmt.Fprintf(&out, ".TP\n.I %s\n%s\n", roff(argument.Summary()), roff(argument.Help))
		}
		for _, flag := range command.Flags {
			fmt.Fprintf(&out, ".TP\n%s\n%s\n", manualFlag(flag), roff(flag.Help))
		}
	}
	return out.String() + manualEnd
}

// arguments are what a command takes besides flags.
func arguments(command *kong.Node) string {
	var list []string
	for _, argument := range command.Positional {
		list = append(list, argument.Summary())
	}
	return strings.Join(list, " ")
}

// manualFlag is the flag's line: its name, value, default and variable.
func manualFlag(flag *kong.Flag) string {
	line := `\fB` + roff("--"+flag.Name) + `\fR`
	if !flag.IsBool() {
		value := strings.ToUpper(flag.Name[strings.LastIndex(flag.Name, "-")+1:])
		if flag.PlaceHolder != "" {
			value = flag.PlaceHolder
		}
		line += ` \fI` + roff(value) + `\fR`
	}
	var notes []string
	if flag.HasDefault && flag.Default != "" && !flag.IsBool() {
		notes = append(notes, "default "+flag.Default)
	}
	notes = slices.Concat(notes, flag.Envs)
	if len(notes) > 0 {
		line += " (" + roff(strings.Join(notes, "; ")) + ")"
	}
	return line
}

// roff is a text in which roff finds no commands.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "…", `\&...`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
