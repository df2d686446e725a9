#!/bin/sh
# Make sure that the services are there that the tests run against: as root on Debian by installing what is missing,
# otherwise by naming it and failing. Nothing is skipped for want of a package.
set -eu
PATH="$PATH:/usr/sbin:/sbin"

missing=
need() { # package, command
    command -v "$2" >/dev/null 2>&1 || missing="$missing $1"
}
need redis-server redis-server
need nginx nginx
need chromium chromium
need openssl openssl
# For the tests of the browser library.
need nodejs node
need curl curl
# For the load client of the bench.
need "gcc libc6-dev" cc
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"

[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "error: the tests need$missing; install them as root, for example: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  # a list of packages
apt-get install -y -qq --no-install-recommends $missing >/dev/null
