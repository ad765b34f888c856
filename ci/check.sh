#!/bin/sh
# Everything that must hold before a change lands: format, lints, tests of all kinds, and a real
# Buildbot master that drives this worker and Python's own side by side.
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$1"; }

say "format"
cargo fmt --all --check
# Files of other systems, which cargo does not look at here.
rustfmt --edition 2024 --check ports/src/*.rs

say "lints"
cargo clippy --workspace --all-targets -- -D warnings
cargo clippy --workspace --all-targets --no-default-features -- -D warnings

say "tools of the tests"
if ci/tools.sh; then
    # From here on a missing one is a failure.
    export CORACLE_TOOLS=1
fi

say "tests"
cargo test --workspace

say "tests of the port template (a system without a file of its own)"
RUSTFLAGS="--cfg ports_unlisted" CARGO_TARGET_DIR=target/unlisted cargo test -p ports

say "tests of the mark in the environment (what systems have that hand orphans to nobody)"
RUSTFLAGS="--cfg ports_marked" CARGO_TARGET_DIR=target/marked cargo test -p ports

say "a big-endian platform (emulated)"
if ci/cross-tools.sh > /dev/null; then
    ci/cross.sh --contract s390x-unknown-linux-musl
elif [ -n "${CI:-}" ]; then
    echo "the tools for other platforms are missing" >&2
    exit 1
else
    echo "skipped: the tools for other platforms are missing (ci/cross-tools.sh)"
fi

say "the oldest compiler"
ci/oldest-compiler.sh

say "a real master"
cargo build --release
ci/master.sh

# The whole table of masters and transports is `ci/master.sh all`, which takes hours.
say "the oldest master, TLS and MessagePack"
ci/master.sh all --short --master 2.10.5 --transport pb
ci/master.sh all --short --master 4.3.0 --transport pb+tls --transport msgpack
