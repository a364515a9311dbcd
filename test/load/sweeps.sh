#!/bin/sh
# Measures how Parley's cost per unit grows with members, rooms, connections, history and conversations,
# and prints a page of tables. Five minutes at the defaults.
#
#   test/load/sweeps.sh               to the terminal
#   test/load/sweeps.sh -docs docs    writes docs/benchmarks-sweeps.md, too
#
# Flags are those of `load -sweeps` (`load -help` lists them). Environment: PARLEY_ENV: further
# environment of Parley, K=V separated by blanks.
# Exit code: 0, or 1 if something could not be run or a load had faults (they are in the page).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

# Every connection is a descriptor on both sides; child processes inherit this.
ulimit -Sn "$(ulimit -Hn)"

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
trap 'exit 130' INT TERM

cd "$root"
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || true)
[ -z "$(git status --porcelain 2>/dev/null)" ] || commit="$commit with uncommitted changes"
go build -o "$bin/load" ./test/load
go build -o "$bin/parley" .

"$bin/load" -sweeps -peers parley -commit "$commit" -parley "$bin/parley" -parley-env "${PARLEY_ENV:-}" "$@"
