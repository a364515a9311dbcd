#!/bin/sh
# Makes sure that there is a Chromium for the browser test, and prints its path.
# Does nothing more when one is found; installs Debian's package otherwise.
set -eu

give_up() {
	echo "The browser test needs Chromium: $1." >&2
	echo "Install Chromium or Chrome, and put it on PATH or name it in CHROMIUM_PATH." >&2
	exit 1
}

find_chromium() {
	for name in chromium chromium-browser google-chrome; do
		command -v "$name" && return 0
	done
	return 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
		return
	fi
	sudo -n "$@"
}

if [ -n "${CHROMIUM_PATH:-}" ]; then
	[ -x "$CHROMIUM_PATH" ] || give_up "CHROMIUM_PATH names no program ($CHROMIUM_PATH)"
	echo "$CHROMIUM_PATH"
	exit 0
fi

find_chromium && exit 0

command -v apt-get >/dev/null || give_up "none is on PATH, and there is no apt-get to install it with"
[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
	give_up "none is on PATH, and installing it takes root or sudo"

# Another installation may be under way; wait for it, but not for ever (seconds).
export DEBIAN_FRONTEND=noninteractive
lock="-o DPkg::Lock::Timeout=300"
# shellcheck disable=SC2086 # two words on purpose
as_root apt-get $lock -q update >&2 || give_up "apt-get update failed"
# shellcheck disable=SC2086
as_root apt-get $lock -q -y install --no-install-recommends chromium fonts-dejavu-core >&2 ||
	give_up "apt-get could not install it"

find_chromium || give_up "the package installed no program of a known name"
