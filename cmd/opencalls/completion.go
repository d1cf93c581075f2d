package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the shell's script.
func (c completionCommand) Run(env environment, program *kong.Application) error {
	script := map[string]func([]*kong.Node) string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
	_, err := io.WriteString(env.stdout, script[c.Shell](commandsOf(program.Node)))
	return err
}

// commandsOf are a command and all below it, the deepest first, so that the first whose words a line
// begins with is the line's.
func commandsOf(node *kong.Node) []*kong.Node {
	var list []*kong.Node
	for _, child := range node.Children {
		list = append(list, commandsOf(child)...)
	}
	return append(list, node)
}

// wordsOf are the names that lead to a command, without the program's.
func wordsOf(node *kong.Node) []string {
	return strings.Fields(node.FullPath())[1:]
}

// flagsOf are a command's flags, its parents' too.
func flagsOf(node *kong.Node) []*kong.Flag {
	var list []*kong.Flag
	for _, flags := range node.AllFlags(true) {
		list = append(list, flags...)
	}
	return list
}

// quoted is a text as a word of any of the shells.
func quoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// shellCase is the case of a bash or zsh script that sets the variable words by the command line so far
// and by the word before. item is what words holds of a command or flag.
func shellCase(commands []*kong.Node, item func(name, help string) string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\tcase \"$line \" in\n")
	for _, command := range commands {
		var words, free []string
		values := ""
		for _, child := range command.Children {
			words = append(words, item(child.Name, child.Help))
		}
		for _, argument := range command.Positional {
			for _, value := range argument.EnumSlice() {
				words = append(words, item(value, argument.Help))
			}
		}
		for _, flag := range flagsOf(command) {
			name := "--" + flag.Name
			words = append(words, item(name, flag.Help))
			if flag.Enum != "" {
				values += fmt.Sprintf("\t\t%s) items=(%s) ;;\n", name, strings.Join(flag.EnumSlice(), " "))
			} else if !flag.IsBool() {
				free = append(free, name)
			}
		}
		if len(free) > 0 {
			values += fmt.Sprintf("\t\t%s) items=() ;;\n", strings.Join(free, " | "))
		}
		line := strings.Join(append([]string{""}, append(wordsOf(command), "")...), " ")
		fmt.Fprintf(&out, "\t%q*)\n\t\titems=(%s)\n", line, strings.Join(words, " "))
		fmt.Fprintf(&out, "\t\tcase $before in\n%s\t\tesac\n\t\t;;\n", values)
	}
	fmt.Fprintf(&out, "\tesac\n")
	return out.String()
}

// bashCompletion offers file names where a flag's values are unknown.
func bashCompletion(commands []*kong.Node) string {
	return `# Completion of opencalls for bash: opencalls completion bash
_opencalls() {
	local line="" word items=() current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	if [[ $current == = ]]; then
		current=""
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD-2]}
	fi
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == -* ]] || line+=" $word"
	done
` + shellCase(commands, func(name, _ string) string { return name }) + `	COMPREPLY=($(compgen -W "${items[*]}" -- "$current"))
}
complete -o default -F _opencalls opencalls
`
}

// zshCompletion shows what each word means.
func zshCompletion(commands []*kong.Node) string {
	return `#compdef opencalls
# Completion of opencalls for zsh: opencalls completion zsh
_opencalls() {
	local -a items
	local line="" word before=${words[CURRENT-1]}
	for word in "${(@)words[2,CURRENT-1]}"; do
		[[ $word == -* ]] || line+=" $word"
	done
` + shellCase(commands, func(name, help string) string { return quoted(name + ":" + help) }) + `	if (( $#items )); then
		_describe opencalls items
	else
		_files
	fi
}
if [[ $funcstack[1] == _opencalls ]]; then
	_opencalls
else
	compdef _opencalls opencalls
fi
`
}

// fishCompletion is a line for each command and each flag.
func fishCompletion(commands []*kong.Node) string {
	var out strings.Builder
	out.WriteString("# Completion of opencalls for fish: opencalls completion fish\n")
	add := func(conditions []string, rest string) {
		fmt.Fprintf(&out, "complete -c opencalls -n %s %s\n", quoted(strings.Join(conditions, "; and ")), rest)
	}
	for _, command := range commands {
		seen := []string{"true"}
		for _, word := range wordsOf(command) {
			seen = append(seen, "__fish_seen_subcommand_from "+word)
		}
		for _, flag := range flagsOf(command) {
			value := ""
			switch {
			case flag.Enum != "":
				value = " -x -a " + quoted(strings.Join(flag.EnumSlice(), " "))
			case !flag.IsBool():
				value = " -r"
			}
			add(seen, "-l "+flag.Name+" -d "+quoted(flag.Help)+value)
		}
		for _, argument := range command.Positional {
			if argument.Enum != "" {
				add(seen, "-f -a "+quoted(strings.Join(argument.EnumSlice(), " ")))
			}
		}
		var names []string
		for _, child := range command.Children {
			names = append(names, child.Name)
		}
		for _, child := range command.Children {
			none := "not __fish_seen_subcommand_from " + strings.Join(names, " ")
			add(append(seen, none), "-f -a "+child.Name+" -d "+quoted(child.Help))
		}
	}
	return out.String()
}
