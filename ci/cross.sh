#!/bin/sh
# Walks cross/targets.txt: builds each platform, tests what can be tested here, and prints the table.
#
#   ci/cross.sh                   all rows
#   ci/cross.sh TRIPLE|TIER...    only these
#   ci/cross.sh --table           prints the table of what has been done so far; builds nothing
#   ci/cross.sh --contract TRIPLE only the tests that run on the platform, for ci/check.sh
#
# A row that passed is done again only when its line, the tools or the sources have changed, those of other systems
# aside, so a walk that was stopped goes on where it was. Fails if a row falls below its tier. Logs lie in
# target/cross/log, programs in target/cross/out. CORACLE_CROSS_JOBS is the number of compilers at a time (2).
set -eu
cd "$(dirname "$0")/.."

table=cross/targets.txt
work=$PWD/target/cross
mkdir -p "$work/state" "$work/log" "$work/out"
. cross/row.sh

rows() { grep -v '^#' "$table" | grep -v '^$'; }

# The lines of the table that the words ask for.
chosen() {
    if [ $# = 0 ]; then
        rows
        return
    fi
    for word in "$@"; do
        found=$(rows | awk -v word="$word" '$1 == word || $3 == word')
        if [ -z "$found" ]; then
            echo "cross.sh: $word is neither a triple nor a tier of $table" >&2
            return 1
        fi
        echo "$found"
    done
}

print_table() {
    printf '%-34s %-10s %-6s %-8s %9s %5s %7s  %s\n' triple system tier reached bytes tls seconds notes
    printf '%s\n' "$1" | while read -r triple system tier _; do
        reached=nothing bytes=- tls=- seconds=- notes='not built yet'
        # shellcheck source=/dev/null
        [ ! -e "$work/state/$triple" ] || . "$work/state/$triple"
        printf '%-34s %-10s %-6s %-8s %9s %5s %7s  %s\n' \
            "$triple" "$system" "$tier" "$reached" "$bytes" "$tls" "$seconds" "$notes"
    done
}

mode=all
case ${1:-} in
    --table | --contract)
        mode=${1#--}
        shift
        ;;
    -*)
        sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
esac
list=$(chosen "$@")

if [ "$mode" != table ]; then
    # Not in one line: a failure of it would be lost.
    tools=$(ci/cross-tools.sh)
    eval "$tools"
fi

if [ "$mode" = contract ]; then
    while read -r triple system tier build emulator tls _ <&3; do
        contract_of_row
    done 3<<EOF
$list
EOF
    exit 0
fi

if [ "$mode" = all ]; then
    # The rows come by descriptor 3: what a row runs must not read them.
    while read -r triple system tier build emulator tls _ <&3; do
        row
    done 3<<EOF
$list
EOF
fi

print_table "$list"
below=$(printf '%s\n' "$list" | while read -r triple _ tier _; do
    reached=nothing
    # shellcheck source=/dev/null
    [ ! -e "$work/state/$triple" ] || . "$work/state/$triple"
    [ "$reached" = "$tier" ] || echo "$triple"
done)
if [ -n "$below" ]; then
    # shellcheck disable=SC2086 # One line.
    echo "below their tier:" $below >&2
    [ "$mode" = table ] || exit 1
fi
