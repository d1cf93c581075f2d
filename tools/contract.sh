#!/usr/bin/env bash
# Holds the built binary against openapi.yaml with schemathesis, on SQLite and on Postgres: as
# staff in full, as others for half a minute each. SEED=, EXAMPLES= and ENGINES= narrow or widen.
set -euo pipefail
cd "$(dirname "$0")/.."

version=4.32.5
seed=${SEED:-1}
examples=${EXAMPLES:-100}
venv=.venv/schemathesis-$version

if [ ! -x "$venv/bin/st" ]; then
	python3 -m venv "$venv"
	"$venv/bin/pip" --quiet install "schemathesis==$version"
fi

# Each identity gets a server on a fresh demo world, whose log must hold no error.
check() {
	local engine=$1 who=$2 token=$3
	shift 3
	printf '\n== %s, %s, seed %s\n' "$engine" "$who" "$seed"
	local url=sqlite::memory:
	if [ "$engine" = postgres ]; then
		url=$OPENCALLS_TEST_POSTGRES_URL
		until bin/opencalls migrate down --database-url "$url" 2>/dev/null | grep -q nothing; do :; done
	fi
	: >"$work/out" # or the address of the server before this one could still be read
	bin/opencalls serve --demo --database-url "$url" --listen 127.0.0.1:0 --validate-responses fail \
		--rate-limit-token 100000 --rate-limit-address 100000 \
		>"$work/out" 2>"$work/log" &
	server=$!
	local address=
	while [ -z "$address" ]; do
		kill -0 "$server" || { cat "$work/log"; return 1; }
		address=$(sed -n 's/^listening on //p' "$work/out")
		sleep 0.1
	done
	local headers=()
	[ -z "$token" ] || headers=(-H "Authorization: Token $token")
	local status=0
	"$venv/bin/st" run openapi.yaml --url "$address" --checks all --seed "$seed" --report-dir "$work" \
		"${headers[@]}" "$@" || status=$?
	kill -0 "$server" 2>/dev/null || echo "the server is gone"
	stop
	# A Postgres for tests may have been told that it may lose writes in a crash.
	if grep -v -e '"level":"INFO"' -e 'Postgres may lose' "$work/log"; then
		echo "the server's log holds more than access lines"
		return 1
	fi
	return "$status"
}

# shellcheck disable=SC2317 # the trap reaches it
stop() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
		server=
	fi
}

# In a subshell of its own, whose end stops its server.
engine() (
	work=$(mktemp -d)
	server=
	trap 'stop; rm -rf "$work"' EXIT
	check "$1" staff YOUR_API_TOKEN --max-examples "$examples"
	check "$1" "an organisation's owner" DEMO_OWNER_TOKEN --max-time 30
	check "$1" "a user without rights" DEMO_USER_TOKEN --max-time 30
	check "$1" "without a token" "" --max-time 30
)

# The engines side by side; the output of each in one piece, as soon as it is whole.
logs=$(mktemp -d)
runs=()
trap 'kill "${runs[@]}" 2>/dev/null || true; wait; rm -rf "$logs"' EXIT
for name in ${ENGINES:-sqlite postgres}; do
	engine "$name" >"$logs/$name" 2>&1 &
	runs+=($!)
done
status=0
for name in ${ENGINES:-sqlite postgres}; do
	wait "${runs[0]}" || status=$?
	runs=("${runs[@]:1}")
	cat "$logs/$name"
done
exit "$status"
