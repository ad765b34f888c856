#!/bin/sh
# The five rungs of a new platform, see ports/README.md. Each ends by printing that it holds.
#
#   ci/rung.sh 1      the port layer compiles
#   ci/rung.sh 2      the contract holds: real shells, real processes, escape artists
#   ci/rung.sh 3      the program is built, and runs
#   ci/rung.sh 4      all tests that need nothing but this machine
#   ci/rung.sh 5      a real Buildbot master drives it (needs Python 3 with venv, and git)
#
# FEATURES="--no-default-features --features=tools,encodings" leaves out TLS, where its library does not build.
set -eu
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
features=${FEATURES:-}
target=${CARGO_TARGET_DIR:-target}

case ${1:-} in
    1)
        "$cargo" check --locked -p ports
        echo "rung 1: the port layer compiles on $(uname -s)"
        ;;
    2)
        "$cargo" test --locked -p ports
        echo "rung 2: the contract holds on $(uname -s)"
        ;;
    3)
        # shellcheck disable=SC2086 # Words of their own, or none.
        "$cargo" build --locked --release $features
        version=$("$target/release/coracle" --version | head -n 1)
        echo "rung 3: $version runs on $(uname -s)"
        ;;
    4)
        # shellcheck disable=SC2086 # Words of their own, or none.
        "$cargo" test --locked --workspace $features
        echo "rung 4: all tests pass on $(uname -s)"
        ;;
    5)
        ci/master.sh --only ours --worker "$target/release/coracle"
        echo "rung 5: a real master drives it on $(uname -s)"
        ;;
    *)
        sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
esac
