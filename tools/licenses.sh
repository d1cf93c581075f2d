#!/usr/bin/env bash
# Prints the licences of all that the program is made of. `make generate` keeps them in
# cmd/opencalls/licenses.txt, which `opencalls version --licenses` prints.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C GOOS=linux GOARCH=amd64 CGO_ENABLED=1

# section NAME FILE...: what the files say of a part of the program.
section() {
	local file
	printf '\n%s\n%s\n' "================================================================================" "$1"
	for file in "${@:2}"; do
		printf '\n'
		tr -d '\r' <"$file"
	done
}

cat LICENSE
section "Go's standard library" "$(go env GOROOT)/LICENSE"
section "GNU C Library, in the released builds" tools/LGPL-2.1.txt
section "Swagger UI" server/docs/swagger-ui/{LICENSE,NOTICE,swagger-ui-bundle.js.LICENSE.txt}

# The licences lie beside the packages that are linked, or above them up to the module's folder.
go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}} {{$.Dir}}{{end}}{{end}}' ./cmd/opencalls |
	sort -u |
	while read -r module root folder; do
		while :; do
			find "$folder" -maxdepth 1 -type f -regextype posix-extended \
				-iregex '.*/(LICEN[CS]E|COPYING|NOTICE|PATENTS)[^/]*' -printf "$module %p\n"
			[ "$folder" != "$root" ] || break
			folder=$(dirname "$folder")
		done
		echo "$module"
	done |
	sort -u |
	awk '
		$1 != module { if (module != "") print module files; module = $1; files = "" }
		NF > 1 { files = files " " $2 }
		END { print module files }' |
	while read -r module files; do
		[ -n "$files" ] || { echo "$module has no licence" >&2; exit 1; }
		# shellcheck disable=SC2086 # several files
		section "$module" $files
	done
