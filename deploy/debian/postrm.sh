#!/bin/sh
set -e
# The user and /var/lib/opencalls stay, with the data in it.
if [ "$1" = purge ]; then
	deb-systemd-helper purge opencalls.service >/dev/null
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
