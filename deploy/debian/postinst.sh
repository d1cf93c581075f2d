#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
getent passwd opencalls >/dev/null ||
	useradd --system --user-group --home-dir /var/lib/opencalls --no-create-home --shell /usr/sbin/nologin opencalls
install -d -o opencalls -g opencalls -m 0750 /var/lib/opencalls
# Debian's helper remembers whether the administrator disabled the service, and works where no systemd runs yet.
if deb-systemd-helper --quiet was-enabled opencalls.service; then
	deb-systemd-helper enable opencalls.service >/dev/null
else
	deb-systemd-helper update-state opencalls.service >/dev/null
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	deb-systemd-invoke restart opencalls.service # not if it is disabled
fi
