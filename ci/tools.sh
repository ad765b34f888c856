#!/bin/sh
# Installs what the tests of service files and of the ways to a master use and this machine lacks,
# where that is possible (as root, with apt-get). Without them, those tests say what they skip.
set -eu

missing=
for tool in systemd-analyze:systemd shellcheck:shellcheck xmllint:libxml2-utils ksh:mksh python3:python3 \
    tinyproxy:tinyproxy-bin microsocks:microsocks openssl:openssl; do
    command -v "${tool%:*}" >/dev/null || missing="$missing ${tool#*:}"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    # shellcheck disable=SC2086 # A list of packages.
    apt-get install -y -q --no-install-recommends $missing
else
    echo "not installed:$missing" >&2
    exit 1
fi
