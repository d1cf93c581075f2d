package main

type importCommand struct {
	databaseFlags
	imageFlags
	Files  []string `arg:"" type:"existingfile" help:"YAML, JSON or JSON Lines; - is standard input."`
	DryRun bool     `name:"dry-run" help:"Say what would be loaded, and change nothing."`
}

type exportCommand struct {
	databaseFlags
	Output string `placeholder:"FILE" help:"Where to write; standard output unless given."`
}
