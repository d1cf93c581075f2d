#!/usr/bin/env bash
# Installs what is missing, on Debian and where that needs no password; else it says what to install.
#
#   tools/setup.sh build                   # a C compiler
#   tools/setup.sh build test              # and Postgres, Chromium, HTTPie, sqlite3 and promtool
#   tools/setup.sh build chaos contract    # what make chaos and make contract need
#   tools/setup.sh build clients rust      # what make clients ALL=1 needs
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
# need COMMAND... -- PACKAGE...: the packages are missing unless the command succeeds.
need() {
	local command=()
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	"${command[@]}" >/dev/null 2>&1 || missing+=("${@:2}")
}

compiles() { echo '#include <stdlib.h>' | "${CC:-gcc}" -E -; }

if ! command -v go >/dev/null; then
	echo "Go is missing: https://go.dev/doc/install" >&2
	exit 1
fi
for purpose in "$@"; do
	case $purpose in
	build)
		need command -v make -- make
		need compiles -- gcc libc6-dev # the SQLite driver is written in C
		;;
	release)
		need command -v git -- git
		need command -v x86_64-linux-gnu-gcc -- gcc-x86-64-linux-gnu libc6-dev-amd64-cross
		need command -v aarch64-linux-gnu-gcc -- gcc-aarch64-linux-gnu libc6-dev-arm64-cross
		;;
	packages)
		need command -v debootstrap -- debootstrap
		need command -v buildah -- buildah
		need command -v docker-compose -- docker-compose # it reads compose.yaml
		need command -v haproxy -- haproxy
		need command -v systemd-analyze -- systemd
		need command -v fish -- fish
		need command -v zsh -- zsh
		need command -v groff -- groff-base
		need command -v qemu-aarch64-static -- qemu-user-static # it runs the program for arm64
		;;
	test)
		need tools/postgres.sh --find -- postgresql
		need command -v chromium -- chromium # the documentation page is tested in it
		need command -v http -- httpie       # the document's samples are run with it
		need command -v promtool -- prometheus # it reads the alerts and the dashboard
		need command -v sqlite3 -- sqlite3   # docs/operations.md copies a database with it
		;;
	chaos)
		need tools/postgres.sh --find -- postgresql
		need command -v haproxy -- haproxy     # a rolling restart is tried behind it
		need command -v strace -- strace       # it shows when SQLite syncs
		need command -v pgbouncer -- pgbouncer # the program runs behind it
		;;
	contract)
		need tools/postgres.sh --find -- postgresql
		need python3 -c 'import ensurepip' -- python3 python3-venv # schemathesis is written in Python
		;;
	clients)
		need python3 -c 'import ensurepip' -- python3 python3-venv
		need command -v javac -- default-jdk-headless
		need command -v npm -- npm # it installs a newer Node.js for the generators
		need command -v mvn -- maven
		need command -v curl -- curl # the first steps are taken with it
		need command -v jq -- jq
		;;
	examples)
		need python3 -c 'import ensurepip' -- python3 python3-venv
		need command -v npm -- npm # it installs a newer Node.js for the examples
		;;
	rust)
		if ! command -v cargo >/dev/null; then
			echo "Rust is missing: https://rustup.rs" >&2
			exit 1
		fi
		;;
	*)
		echo "usage: tools/setup.sh [build] [release] [packages] [test] [chaos] [contract] [clients] [examples] [rust]" >&2
		exit 2
		;;
	esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=(env DEBIAN_FRONTEND=noninteractive)
if [ "$(id -u)" != 0 ]; then root=(sudo -n "${root[@]}"); fi
if ! command -v apt-get >/dev/null; then
	echo "Missing (Debian's names): ${missing[*]}. Install them, then try again." >&2
	exit 1
elif ! "${root[@]}" true 2>/dev/null; then
	printf 'Missing: %s. Install them, then try again:\n\n  sudo apt-get install %s\n\n' "${missing[*]}" "${missing[*]}" >&2
	exit 1
fi

echo "installing ${missing[*]}" >&2
# Debian's package would set up a Postgres server that starts with the machine.
conf=/etc/postgresql-common/createcluster.d/opencalls.conf
trap '"${root[@]}" rm -f "$conf"' EXIT
"${root[@]}" mkdir -p "${conf%/*}"
echo "create_main_cluster = false" | "${root[@]}" tee "$conf" >/dev/null
"${root[@]}" apt-get -qq update >/dev/null
"${root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
# So does its package of Prometheus.
if [[ " ${missing[*]} " == *" prometheus "* && -d /run/systemd/system ]]; then
	"${root[@]}" systemctl --quiet disable --now prometheus
fi
