#!/bin/sh
# A real Buildbot master drives the worker, and what it records is compared with what it records for
# Python's worker.
#
#   ci/master.sh [OPTIONS] [SCENARIO...]          all scenarios, or those named; --list shows them
#   ci/master.sh all [OPTIONS] [SCENARIO...]      the same on all masters and transports, as a table
#   ci/master.sh cpython [theirs|ours|both]       builds and tests CPython as its fleet does
#   ci/master.sh life [CASE...]                   starts, stops, kills, cuts off and hands over the worker
#   ci/master.sh selftest                         shows that the comparison finds what is different
#
# Options: --master VERSION, --transport pb|pb+tls|msgpack|msgpack+tls, --list, --only theirs|ours,
# --worker PROGRAM, --fresh, -j N, -v; see --help.
# As root on Debian it installs what it needs; everything it makes lies in target/ and in /tmp.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
tests=$here/tests/master

# Our own binary is needed unless another one is named, or only theirs is asked for.
build_if_needed() {
    for word in "$@"; do
        case $word in
            --worker | --worker=* | --list | theirs | --only=theirs | -h | --help) return 0 ;;
        esac
    done
    (cd "$here" && cargo build --release --locked) >&2
    set_worker=${CARGO_TARGET_DIR:-$here/target}/release/coracle
}

set_worker=
case ${1:-} in
    cpython)
        shift
        build_if_needed "$@"
        python=$("$tests/setup.sh")/bin/python
        repository=$("$tests/cpython/source.sh")
        exec "$python" "$tests/cpython/run.py" --repository "$repository" \
            ${set_worker:+--worker "$set_worker"} "$@"
        ;;
    life)
        shift
        build_if_needed "$@"
        python=$("$tests/setup.sh")/bin/python
        exec "$python" "$tests/life/run.py" ${set_worker:+--worker "$set_worker"} "$@"
        ;;
    all)
        shift
        build_if_needed "$@"
        python=$("$tests/setup.sh")/bin/python
        exec "$python" "$tests/matrix.py" ${set_worker:+--worker "$set_worker"} "$@"
        ;;
    selftest)
        shift
        python=$("$tests/setup.sh")/bin/python
        exec "$python" "$tests/selftest/run.py" "$@"
        ;;
    *)
        build_if_needed "$@"
        python=$("$tests/setup.sh")/bin/python
        exec "$python" "$tests/run.py" ${set_worker:+--worker "$set_worker"} "$@"
        ;;
esac
