#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
getent passwd opencalls >/dev/null ||
	useradd --system --user-group --home-dir /var/lib/opencalls --no-create-home --shell /usr/sbin/nologin opencalls
install -d -o opencalls -g opencalls -m 0750 /var/lib/opencalls
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	if [ -z "$2" ]; then # not an upgrade
		systemctl enable --now opencalls
	else
		systemctl try-restart opencalls
	fi
fi
