#!/bin/sh
# Measures Parley against the reference servers on this machine and prints a markdown table.
#
#   test/load/compare.sh                          at the defaults, some fifty minutes; says so at the start
#   test/load/compare.sh -rounds 2 -docs docs     shorter, and writes docs/benchmarks.md
#   PEERS=node,floor test/load/compare.sh         without Parley: the first is judged
#
# Flags are those of `load -compare` (`load -help` lists them). Environment: PEERS, and
# PARLEY_ENV: further environment of Parley, K=V separated by blanks.
# Bun comes with its server's packages. Where it does not run, it is left out and the report says why;
# if PEERS names it, that is an error.
# Exit code: 0, or 1 if a server could not be run or a run had faults (they are listed).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=${PEERS:-parley,node,bun,floor}
left_out=

# Every connection is a descriptor on both sides; child processes inherit this.
ulimit -Sn "$(ulimit -Hn)"

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
trap 'exit 130' INT TERM

packages() { npm ci --prefix "$here/peers/$1" --omit=dev --no-audit --no-fund --loglevel=error >&2; }

bun_runs() { packages bun && "$here/peers/bun/node_modules/.bin/bun" --version >/dev/null 2>"$bin/bun.txt"; }

cd "$root"
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || true)
[ -z "$(git status --porcelain 2>/dev/null)" ] || commit="$commit with uncommitted changes"
go build -o "$bin/load" ./test/load
go build -o "$bin/floor" ./test/load/peers/floor
case ",$peers," in *,parley,*) go build -o "$bin/parley" . ;; esac
case ",$peers," in *,node,*) packages node ;; esac
case ",$peers," in *,bun,*)
	if ! bun_runs; then
		[ -z "${PEERS:-}" ] || { echo "compare.sh: bun does not run here" >&2; exit 1; }
		peers=parley,node,floor
		left_out="bun: it does not run here ($(head -c 200 "$bin/bun.txt" 2>/dev/null || echo 'its packages could not be installed'))"
	fi
	;;
esac

"$bin/load" -compare -peers "$peers" -commit "$commit" -left-out "$left_out" -parley "$bin/parley" -floor "$bin/floor" \
	-node-dir "$here/peers/node" -bun-dir "$here/peers/bun" -parley-env "${PARLEY_ENV:-}" "$@"
