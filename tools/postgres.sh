#!/usr/bin/env bash
# Runs a command with OPENCALLS_TEST_POSTGRES_URL set:
#
#   tools/postgres.sh go test ./...
#   tools/postgres.sh --find    # only prints where the server's programs are
#
# A URL that is set already is used as it is. Otherwise the command gets a
# server of its own, which is removed with its data when the command ends. It
# syncs nothing to disk (fsync is off); OPENCALLS_POSTGRES_DURABLE=1 makes it
# sync as in production, for measurements. The command finds the server's
# programs in the directory that OPENCALLS_TEST_POSTGRES_BIN names.
# Works with bash 3.2, the one that macOS has.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: tools/postgres.sh COMMAND [ARGUMENT...]" >&2; exit 2; }

# Nothing to start: there is a server, or the tests are told to use SQLite alone.
engines=${OPENCALLS_TEST_ENGINES:-postgres}
if [ -n "${OPENCALLS_TEST_POSTGRES_URL:-}" ] || [ "$engines" = "${engines/postgres/}" ]; then
	[ "$1" != --find ] || exit 0
	exec "$@"
fi

# usable DIR: DIR holds the programs of a server of version 14 or later, with pg_trgm.
usable() {
	[ -x "$1/initdb" ] && [ -x "$1/pg_ctl" ] && [ -x "$1/postgres" ] || return 1
	[[ $("$1/postgres" --version) =~ \)\ ([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 14 ] || return 1
	# pg_trgm is a package of its own on some systems (postgresql-contrib).
	[ ! -x "$1/pg_config" ] || [ -e "$("$1/pg_config" --sharedir)/extension/pg_trgm.control" ]
}

# find_server prints the directory of the server's programs.
find_server() {
	local dir
	while read -r dir; do
		if usable "$dir"; then echo "$dir"; return; fi
	done < <(
		if command -v initdb >/dev/null; then dirname "$(readlink -f "$(command -v initdb)")"; fi
		if command -v pg_config >/dev/null; then pg_config --bindir; fi
		# Debian, Red Hat, Homebrew on either kind of Mac; the newest first.
		printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
			/opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin | sort -rV
	)
}

bin=$(find_server)
[ -n "$bin" ] || {
	echo "tools/postgres.sh: no server programs of PostgreSQL 14 or later with pg_trgm found: install them (postgresql, postgresql-contrib) or set OPENCALLS_TEST_POSTGRES_URL" >&2
	exit 1
}
if [ "$1" = --find ]; then
	echo "$bin"
	exit
fi

# Postgres refuses to run as root.
server_user=
if [ "$(id -u)" = 0 ]; then
	server_user=nobody
	if id postgres >/dev/null 2>&1; then server_user=postgres; fi
fi

# server COMMAND: as the server's user, in a directory that this user may read.
server() (
	cd "$dir"
	if [ -z "$server_user" ]; then
		exec "$@"
	elif command -v setpriv >/dev/null; then
		exec setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --clear-groups -- "$@"
	elif command -v runuser >/dev/null; then
		exec runuser -u "$server_user" -- "$@"
	else
		# shellcheck disable=SC2016 # su's own shell expands them
		exec su -s /bin/sh "$server_user" -c 'exec "$0" "$@"' -- "$@"
	fi
)

fail() {
	echo "tools/postgres.sh: $1" >&2
	cat "$dir/log" >&2
	exit 1
}

# In /tmp, since the server's user may not be let into TMPDIR.
dir=$(mktemp -d /tmp/opencalls-postgres.XXXXXX)
# shellcheck disable=SC2317 # the trap reaches it
stop() {
	if [ -e "$dir/data/postmaster.pid" ]; then
		server "$bin/pg_ctl" -D "$dir/data" -m immediate -s stop >/dev/null 2>&1 || true
	fi
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A password, so that nobody else on the machine is this server's superuser.
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "$password" >"$dir/password"
touch "$dir/log"
if [ -n "$server_user" ]; then chown -R "$server_user" "$dir"; fi

# A collation other than by bytes, where this server has one (ICU, version 15):
# an answer that depends on the database's locale then differs from SQLite's. Its
# LC_CTYPE knows more letters than ASCII's, as a server's in production does.
init=("$bin/initdb" -D "$dir/data" -U postgres -A scram-sha-256 --pwfile="$dir/password"
	-E UTF8 --locale=C --no-sync)
server "${init[@]}" --lc-ctype=C.UTF-8 --locale-provider=icu --icu-locale=und >"$dir/log" 2>&1 ||
	server "${init[@]}" >"$dir/log" 2>&1 || fail "initdb failed:"

cat >>"$dir/data/postgresql.conf" <<-CONF
	listen_addresses = '127.0.0.1'
	unix_socket_directories = ''
	max_connections = 300
	shared_buffers = 128MB
CONF
# Nothing here has to survive a crash, unless what that costs is measured.
[ -n "${OPENCALLS_POSTGRES_DURABLE:-}" ] || echo "fsync = off" >>"$dir/data/postgresql.conf"

# Another program may hold a port, so several are tried; they lie below those
# that systems give to outgoing connections.
started=
for _ in 1 2 3 4 5 6 7 8; do
	port=$((20000 + RANDOM % 12000))
	if server "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-p $port" -w -s start >/dev/null 2>&1; then
		started=yes
		break
	fi
done
[ -n "$started" ] || fail "the server does not start:"
export OPENCALLS_TEST_POSTGRES_BIN=$bin
export OPENCALLS_TEST_POSTGRES_URL="postgres://postgres:$password@127.0.0.1:$port/postgres?sslmode=disable"

# The command is a process group of its own (set -m), so that a signal to this
# script ends all of it at once, and the server after it.
set -m
"$@" &
command=$!
set +m
trap 'kill -INT -- "-$command" 2>/dev/null || true' INT
trap 'kill -TERM -- "-$command" 2>/dev/null || true' TERM HUP
status=0
wait "$command" || status=$?
# A signal interrupts the waiting before the command has ended.
while kill -0 "$command" 2>/dev/null; do
	status=0
	wait "$command" || status=$?
done
exit "$status"
