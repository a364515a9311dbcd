#!/usr/bin/env bash
# Runs every fuzz target for the time given (1m). Panics are not recovered in what they call.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-1m}
for package in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "$package $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
	done
done
