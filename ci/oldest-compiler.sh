#!/bin/sh
# Builds with the oldest compiler that we promise: Debian 12's rustc-web 1.85, unpacked below target/
# without installing anything. On other systems this says so and does nothing.
set -eu
cd "$(dirname "$0")/.."

version=1.85.0
place=$PWD/target/rust-$version
packages="rustc-web libstd-rust-web-dev libstd-rust-web-1.85"

if ! grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
    echo "skipped: only Debian 12 has rustc-web $version in its archive"
    exit 0
fi

if [ ! -x "$place/usr/bin/rustc" ]; then
    rm -rf "$place.new"
    mkdir -p "$place.new/packages"
    (
        cd "$place.new/packages"
        find_exact() {
            apt-cache madison rustc-web | awk -v v="$version" '$3 ~ "^"v {print $3; exit}'
        }
        exact=$(find_exact)
        if [ -z "$exact" ] && [ "$(id -u)" = 0 ]; then
            apt-get -q update
            exact=$(find_exact)
        fi
        if [ -z "$exact" ]; then
            echo "apt knows no rustc-web $version; run apt-get update first" >&2
            exit 1
        fi
        for name in $packages; do
            apt-get -q download "$name=$exact"
        done
        apt-get -q download libllvm19
        for file in *.deb; do
            dpkg-deb -x "$file" ..
        done
    )
    rm -rf "$place.new/packages" "$place"
    mv "$place.new" "$place"
fi

LD_LIBRARY_PATH=$place/usr/lib/x86_64-linux-gnu:$place/usr/lib/llvm-19/lib
export LD_LIBRARY_PATH
RUSTC=$place/usr/bin/rustc
export RUSTC
"$RUSTC" --version
CARGO_TARGET_DIR=target/oldest cargo build --locked
