#!/bin/sh
# Installs what ci/cross.sh needs, and prints where it is as shell assignments.
#
# As root on Debian: a Rust compiler with the library's sources, clang, lld (apt), zig and cargo-zigbuild (pip, in
# target/cross/tools), and the newest qemu of user emulation, from Debian unstable if it can be had (that of Debian
# 12 cannot run loongarch64, and has no child subreaper). Elsewhere: what is missing is named.
set -eu
cd "$(dirname "$0")/.."

tools=$PWD/target/cross/tools
mkdir -p "$tools"
zig_version=0.16.0
zigbuild_version=0.24.0

say() { echo "cross-tools: $1" >&2; }

# Whether apt-get may be used; the lists of packages are brought up to date once.
apt_ready() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    [ -e "$tools/apt-updated" ] && return 0
    apt-get -q update >&2 && : > "$tools/apt-updated"
}

install() {
    apt_ready || {
        say "not installed: $*"
        exit 1
    }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
}

# The first compiler that has the sources of the standard library and can lint.
find_rust() {
    for bin in ${CORACLE_CROSS_RUST:-} /usr/bin "$(dirname "$(command -v rustc || echo /none/rustc)")"; do
        if [ ! -x "$bin/rustc" ] || [ ! -x "$bin/cargo" ] || [ ! -x "$bin/cargo-clippy" ]; then
            continue
        fi
        sysroot=$("$bin/rustc" --print sysroot)
        [ -e "$sysroot/lib/rustlib/src/rust/library/std/Cargo.toml" ] && return 0
    done
    return 1
}

find_rust || {
    install cargo-web rustc-web rust-web-src rust-web-clippy
    find_rust || {
        say "no Rust compiler with the library's sources; set CORACLE_CROSS_RUST to the directory of one"
        exit 1
    }
}

for tool in clang:clang ld.lld:lld readelf:binutils file:file unshare:util-linux python3:python3-venv; do
    command -v "${tool%:*}" >/dev/null || install "${tool#*:}"
done

venv=$tools/venv
if [ "$(cat "$venv/versions" 2>/dev/null)" != "$zig_version $zigbuild_version" ]; then
    rm -rf "$venv"
    python3 -c 'import ensurepip' 2>/dev/null || install python3-venv
    # The system's own python3, so that the venv works for every user.
    /usr/bin/python3 -m venv "$venv" >&2
    "$venv/bin/pip" install -q "ziglang==$zig_version" "cargo-zigbuild==$zigbuild_version" >&2
    echo "$zig_version $zigbuild_version" > "$venv/versions"
fi

# Puts the emulators of a newer Debian into a directory of ours; nothing of the system changes.
newer_qemu() {
    place=$tools/apt
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -e "$keys" ] && command -v apt-get >/dev/null || return 1
    mkdir -p "$place/lists/partial" "$place/cache/archives/partial"
    : > "$place/status"
    echo "deb [signed-by=$keys] http://deb.debian.org/debian sid main" > "$place/sources.list"
    set -- -q -o "Dir::State=$place" -o "Dir::State::lists=$place/lists" -o "Dir::State::status=$place/status" \
        -o "Dir::Cache=$place/cache" -o "Dir::Etc::sourcelist=$place/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none
    (
        cd "$place"
        apt-get "$@" update >&2 && apt-get "$@" download qemu-user >&2 &&
            rm -rf unpacked && dpkg-deb -x qemu-user_*.deb unpacked
    ) || return 1
    wanted=$(awk '!/^#/ && $5 ~ /^qemu-/ {sub(/=.*/, "", $5); print $5}' cross/targets.txt | sort -u)
    for name in $wanted; do
        cp -L "$place/unpacked/usr/bin/$name" "$tools/qemu.new/" || return 1
    done
    rm -rf "$place"
}

if [ ! -e "$tools/qemu/version" ]; then
    rm -rf "$tools/qemu.new"
    mkdir -p "$tools/qemu.new"
    if ! newer_qemu; then
        say "no newer qemu can be had; using the system's"
        command -v qemu-arm-static >/dev/null || install qemu-user-static
        for program in /usr/bin/qemu-*-static; do
            name=$(basename "$program" -static)
            ln -sf "$program" "$tools/qemu.new/$name"
        done
    fi
    "$tools/qemu.new/qemu-arm" --version | head -n 1 > "$tools/qemu.new/version"
    rm -rf "$tools/qemu"
    mv "$tools/qemu.new" "$tools/qemu"
fi

echo "rust_bin='$bin'"
echo "zig_bin='$venv/bin'"
echo "qemu_bin='$tools/qemu'"
