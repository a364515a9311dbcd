#!/usr/bin/env bash
# The race detector links with a C compiler. Installs Debian's gcc where there is none.
set -euo pipefail
if command -v "${CC:-gcc}" >/dev/null || command -v clang >/dev/null; then
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "install-compiler: install gcc: go test -race needs a C compiler" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
$sudo apt-get update -q
$sudo apt-get install -q -y --no-install-recommends gcc libc6-dev
