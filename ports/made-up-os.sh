#!/bin/sh
# Shows that a new operating system takes one file and one line: in a copy of this crate, Linux is taken from the
# list of systems, and the file and line that the guide shows for "Fictix" are put in its place. Then the tests of
# the contract run.
set -eu
cd "$(dirname "$0")"

copy=$(cd .. && pwd)/target/made-up-os
rm -rf "$copy"
mkdir -p "$copy"
cp -R src tests examples Cargo.toml "$copy/"
cp ../Cargo.lock "$copy/"
# A workspace of its own, with what the crate inherits.
{
    echo '[workspace]'
    sed -n '/^\[workspace.package\]/,/^$/p' ../Cargo.toml
} >> "$copy/Cargo.toml"

# The file, as it stands in the guide.
# shellcheck disable=SC2016 # The backquotes are the guide's.
sed -n '/^```rust fictix.rs$/,/^```$/p' README.md | sed '1d;$d' > "$copy/src/fictix.rs"
[ -s "$copy/src/fictix.rs" ] || {
    echo "made-up-os: README.md does not show fictix.rs any more" >&2
    exit 1
}
# The line. Rust calls this machine "linux"; that is the only thing that Fictix has of it.
sed 's/^    "linux" => "linux.rs",$/    "linux" => "fictix.rs",/' src/lib.rs > "$copy/src/lib.rs"
! cmp -s src/lib.rs "$copy/src/lib.rs" || {
    echo "made-up-os: lib.rs has no line for linux any more" >&2
    exit 1
}

CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$copy/target}/made-up-os cargo test --manifest-path "$copy/Cargo.toml" "$@"
echo "made-up-os: Fictix keeps the contract"
