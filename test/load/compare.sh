#!/bin/sh
# Measures Parley against the reference servers on this machine and prints a markdown table.
#
#   test/load/compare.sh                          about three minutes on an idle machine
#   test/load/compare.sh -rounds 5 -knee-rounds 3 -room-time 15s
#   PEERS=node,floor test/load/compare.sh         without Parley
#
# Flags are those of `load -compare` (`load -help` lists them). Environment: PEERS, and
# PARLEY_ENV: further environment of Parley, K=V separated by blanks.
# Exit code: 0, or 1 if a server could not be run or a run had faults (they are listed).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=${PEERS:-parley,node,floor}

# Every connection is a descriptor on both sides; child processes inherit this.
ulimit -Sn "$(ulimit -Hn)"

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
trap 'exit 130' INT TERM

cd "$root"
go build -o "$bin/load" ./test/load
go build -o "$bin/floor" ./test/load/peers/floor
case ",$peers," in *,parley,*) go build -o "$bin/parley" . ;; esac
case ",$peers," in *,node,*)
	npm ci --prefix "$here/peers/node" --omit=dev --no-audit --no-fund --loglevel=error >&2
	;;
esac

"$bin/load" -compare -peers "$peers" -parley "$bin/parley" -floor "$bin/floor" \
	-node-dir "$here/peers/node" -parley-env "${PARLEY_ENV:-}" "$@"
