#!/usr/bin/env bash
# Runs every fuzz target: the decoders of what strangers send for the time given (1m), the others for a
# quarter of it. Panics are not recovered in what they call. It fails on a finding, whose input it prints,
# and if a decoder was tried too rarely for the run to mean something: on a slow machine it is given its time
# again before that is said.
#
#   test/fuzz.sh [time [pattern]]      pattern: an extended regular expression for "package target"
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-1m}
pattern=${2:-.}

# The decoders, and how many executions a second each must reach, averaged over its time: far fewer than
# one worker does, so that only a target that is stuck, or does nothing, stays below in so many runs.
runs=5
declare -A floor=(
	["adapters/socketio/sio/packet FuzzDecode"]=500
	["adapters/socketio/sio/packet FuzzSplitArray"]=500
	["adapters/socketio/sio/packet FuzzAssemble"]=500
	["adapters/socketio/sio/msgpack FuzzDecode"]=400
	["adapters/socketio/sio FuzzConn"]=50
	["adapters/socketio/engineio/websocket FuzzDecoder"]=300
	["adapters/socketio/engineio/websocket FuzzInflate"]=300
	["adapters/socketio/engineio FuzzPollingPayload"]=100
	["adapters/socketio/engineio FuzzWebSocketSession"]=50
	["adapters/socketio/legacy FuzzCutPacket"]=400
)

seconds() {
	case $1 in
	*m) echo $((60 * ${1%m})) ;;
	*s) echo "${1%s}" ;;
	*)
		echo "$0: time is like 30s or 2m, not $1" >&2
		exit 2
		;;
	esac
}
total=$(seconds "$time")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
declare -A seen
summary=()
failed=0

# verdict says how a run ended: ok, finding or broken. When -fuzztime is over, the go command now and then
# reports the end of its own context as a failure: no input is written then. Anything
# else that fails is a fault of the target, or of the build.
verdict() {
	local status=$1
	if ((status == 0)); then
		echo ok
	elif grep -q 'Failing input written to\|--- FAIL: .*/' "$log"; then
		echo finding
	elif grep -q '^ *context deadline exceeded$' "$log" && ! grep -q 'panic:\|hung or terminated\|fatal error:\|DATA RACE' "$log"; then
		echo ok
	else
		echo broken
	fi
}

# report prints what ended a run, and the input that did it.
report() {
	local folder=$1 input
	tail -n 60 "$log"
	input=$(sed -n 's/^ *Failing input written to //p' "$log" | tail -n 1)
	if [[ -n $input && -f $folder/$input ]]; then
		echo "--- $folder/$input"
		head -c 20000 "$folder/$input"
		echo
	fi
}

run() {
	local folder=$1 target=$2 name="$1 $2" least=0 span=$((total / 4)) status result execs=0 more
	if [[ -n ${floor[$name]:-} ]]; then
		span=$total
		least=$((floor[$name] * total))
		seen[$name]=1
	fi
	echo "$name, ${span}s"
	for ((i = 0; i < runs; i++)); do
		status=0
		# Without a short limit, making interesting inputs smaller can take the whole time.
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${span}s" -fuzzminimizetime 1s "./$folder" >"$log" 2>&1 || status=$?
		result=$(verdict "$status")
		more=$(grep -o 'execs: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2 || true)
		execs=$((execs + ${more:-0}))
		if [[ $result != ok ]] || ((execs >= least)); then
			break
		fi
	done
	if [[ $result != ok ]]; then
		report "$folder"
	elif ((execs < least)); then
		result="fewer than $least"
	fi
	[[ $result == ok ]] || failed=1
	summary+=("$(printf '%10d  %-60s %s' "$execs" "$name" "$result")")
}

module=$(go list -m)
listing=$(go test -list '^Fuzz' ./...)
targets=()
while read -r first second _; do
	case $first in
	Fuzz*) targets+=("$first") ;;
	ok)
		for target in "${targets[@]+"${targets[@]}"}"; do
			folder=${second#"$module"/}
			if [[ "$folder $target" =~ $pattern ]]; then
				run "$folder" "$target" </dev/null
			fi
		done
		targets=()
		;;
	esac
done <<<"$listing"

echo
echo "executions"
printf '%s\n' "${summary[@]+"${summary[@]}"}"
for name in "${!floor[@]}"; do
	if [[ -z ${seen[$name]:-} && $name =~ $pattern ]]; then
		echo "$name: a decoder without its fuzz target"
		failed=1
	fi
done
exit "$failed"
