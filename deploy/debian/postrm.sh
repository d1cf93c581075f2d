#!/bin/sh
set -e
# The user and /var/lib/opencalls stay, with the data in it.
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
