#!/bin/sh
# Gets the source of Python 3.11 as Debian 12 has it and commits it to a git repository of our own.
# Prints the repository's path. What is there already is used again.
set -eu

target=$(cd "$(dirname "$0")/../../.." && pwd)/target/cpython
repository=$target/repository
needed="build-essential dpkg-dev git pkg-config zlib1g-dev libssl-dev libffi-dev libbz2-dev
liblzma-dev libsqlite3-dev libreadline-dev libncurses-dev uuid-dev"

install_needed() {
    missing=
    for package in $needed; do
        dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "source.sh: these packages are missing:$missing" >&2
        exit 1
    fi
    apt-get update -qq >&2
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
}

# The machine's own package sources, asked for source packages; the machine's lists stay as they are.
make_source_lists() {
    mkdir -p "$target/apt/parts" "$target/apt/lists/partial" "$target/apt/cache/archives/partial"
    # shellcheck disable=SC1091
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -e "$file" ] || continue
        awk -v RS= -v name="$codename" '
            ("\n" $0) ~ ("\nSuites:[^\n]*[ \t]" name "(-|[ \t\n]|$)") {
                sub(/(^|\n)Types:[^\n]*/, "\nTypes: deb-src"); print; print "" }
        ' "$file" > "$target/apt/parts/$(basename "$file")"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -e "$file" ] || continue
        awk -v name="$codename" '$1 == "deb" && $0 ~ "[ \t]" name "(-|[ \t])" { $1 = "deb-src"; print }' \
            "$file" > "$target/apt/parts/of-$(basename "$file" .list).list"
    done
    find "$target/apt/parts" -empty -delete
}

apt() {
    apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$target/apt/parts" \
        -o Dir::State::lists="$target/apt/lists" -o Dir::Cache="$target/apt/cache" \
        -o APT::Sandbox::User= "$@" >&2
}

commit() {
    GIT_AUTHOR_NAME=tests GIT_AUTHOR_EMAIL=tests@example.org GIT_AUTHOR_DATE=2001-09-09T01:46:40Z \
    GIT_COMMITTER_NAME=tests GIT_COMMITTER_EMAIL=tests@example.org \
    GIT_COMMITTER_DATE=2001-09-09T01:46:40Z git -C "$1" commit -q -m "Python as Debian has it"
}

install_needed
if [ ! -e "$repository/.complete" ]; then
    rm -rf "$target"
    make_source_lists
    apt update
    mkdir "$target/download" "$target/unpacked"
    # Only upstream's own tree: it builds as the fleet builds it, without Debian's changes.
    (cd "$target/download" && apt source --download-only --tar-only python3.11)
    tar -x -f "$target"/download/*.orig.tar.* -C "$target/unpacked" --strip-components 1
    git -C "$target/unpacked" init -q --initial-branch=main
    git -C "$target/unpacked" add -A -f
    commit "$target/unpacked"
    git clone -q --bare "$target/unpacked" "$repository"
    git -C "$repository" config uploadpack.allowFilter true
    rm -rf "$target/unpacked" "$target/download" "$target/apt"
    touch "$repository/.complete"
fi
echo "$repository"
