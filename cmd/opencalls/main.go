// Opencalls serves Waldur's Call Managing Organisations API.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/opencalls/opencalls/server"
)

// commands is the whole command line. Each flag can be given as an environment variable too:
// --database-url is OPENCALLS_DATABASE_URL.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Serve the API."`
	Migrate migrateCommand `cmd:"" help:"Bring the database's schema up to date, or roll a step back."`
	Import  importCommand  `cmd:"" help:"Load import files: all of them or nothing."`
	Export  exportCommand  `cmd:"" help:"Write everything but audit events as an import file (JSON Lines)."`
	User    userCommand    `cmd:"" help:"Create, list and deactivate users, and set their passwords."`
	Token   tokenCommand   `cmd:"" help:"Create, list and revoke tokens."`
	Audit   auditCommand   `cmd:"" help:"List who did what, the newest first."`
	OpenAPI openapiCommand `cmd:"" name:"openapi" help:"Print the embedded openapi.yaml."`
	Health  healthCommand  `cmd:"" help:"Exit 0 if a server is ready: for a container's health check."`
	Version versionCommand `cmd:"" help:"Print the version."`

	Completion completionCommand `cmd:"" help:"Print the script by which a shell completes commands and flags."`
	Manual     manualCommand     `cmd:"" name:"man" help:"Print the manual page: for man -l."`

	VersionFlag kong.VersionFlag `name:"version" env:"-" help:"Print the version."`
}

// environment is what commands take from the process, so that tests can give them their own.
type environment struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// The exit statuses: something went wrong, the command line or configuration is wrong, or the schema is
// not this version's.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitOtherSchema = 3
)

// credentials are who a URL is for, and their password, which may hold anything where the URL
// is wrong; one that was taken for a path has lost a slash.
var credentials = regexp.MustCompile(`:/{1,2}.*@`)

// passwordTexts are those among the parameters of a database's URL, sslpassword too, or of its other form.
var passwordTexts = regexp.MustCompile(`(?i)(password\s*=\s*)('[^']*'?|[^&\s"]*)`)

// usageError is a wrong configuration that kong can't see.
type usageError struct{ error }

func main() {
	os.Exit(run(os.Args[1:], environment{ctx: context.Background(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}))
}

// run carries out a command line and returns the exit status. An error is one line on stderr.
func run(arguments []string, env environment) int {
	var commands commands
	exited, status := false, 0
	parser, err := kong.New(&commands,
		kong.Name("opencalls"),
		kong.Description("Waldur's Call Managing Organisations API, on SQLite or Postgres."),
		kong.DefaultEnvars("OPENCALLS"),
		kong.Vars{
			"version":          versionLine(),
			"body_memory":      fmt.Sprint(server.DefaultBodyMemory),
			"image_max_bytes":  fmt.Sprint(server.DefaultImageMaxBytes),
			"image_max_pixels": fmt.Sprint(server.DefaultImageMaxPixels),
			"max_body_bytes":   fmt.Sprint(server.DefaultMaxBodyBytes),
			"token_lifetime":   fmt.Sprint(server.DefaultTokenLifetime),
			"request_timeout":  fmt.Sprint(server.DefaultRequestTimeout),
		},
		kong.Writers(env.stdout, env.stderr),
		kong.Exit(func(code int) { exited, status = true, code }),
		kong.Bind(env),
	)
	if err != nil {
		panic(err) // the declarations above are wrong
	}
	warnOfVariables(parser, env)
	if len(arguments) > 0 && arguments[0] == "help" {
		arguments = append(arguments[1:], "--help")
	}
	parsed, err := parser.Parse(arguments)
	if exited { // --help or --version
		return status
	}
	if err == nil {
		err = parsed.Run(parser.Model)
	} else {
		err = usageError{err}
	}
	if err == nil {
		return 0
	}
	text := withoutSecrets(err.Error()) // kong repeats an argument that it does not expect
	fmt.Fprintln(env.stderr, "opencalls: "+strings.ReplaceAll(text, "\n", "; "))
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errOtherSchema):
		return exitOtherSchema
	}
	return exitFailed
}

// nearFlags are the flags that kong takes for the one that was meant.
var nearFlags = regexp.MustCompile(`"--[a-z-]+"`)

// warnOfVariables names the variables that only look like a flag's, and the nearest that are one.
func warnOfVariables(parser *kong.Kong, env environment) {
	variable := func(flag string) string {
		return "OPENCALLS_" + strings.ToUpper(strings.ReplaceAll(strings.Trim(flag, `-"`), "-", "_"))
	}
	for _, line := range os.Environ() {
		name, _, _ := strings.Cut(line, "=")
		words, ours := strings.CutPrefix(name, "OPENCALLS_")
		if !ours {
			continue
		}
		// serve has the flags that are set by variables.
		trace, err := kong.Trace(parser, []string{"serve", "--" + strings.ToLower(strings.ReplaceAll(words, "_", "-"))})
		if err != nil || trace.Error == nil {
			continue
		}
		if near := nearFlags.FindAllString(trace.Error.Error(), -1); len(near) > 0 {
			for i := range near {
				near[i] = variable(near[i])
			}
			fmt.Fprintf(env.stderr, "opencalls: %s is ignored: did you mean %s?\n", name, strings.Join(near, " or "))
		}
	}
}

// counted is a number of things, such as "1 token" or "2 tokens".
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// withoutSecrets is a text whose URLs are without credentials.
func withoutSecrets(text string) string {
	text = credentials.ReplaceAllString(text, "://***@")
	return passwordTexts.ReplaceAllString(text, "$1***")
}
