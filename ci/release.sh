#!/bin/sh
# Makes the archives of a release for every row of cross/targets.txt that is run or linked.
#
#   ci/release.sh [TRIPLE...]     into target/release-VERSION
#
# Each archive has the stripped program, the service file and page of its system, the licences, and the bill of
# materials; beside the archives lies a list of SHA-256 sums. The programs are those that ci/cross.sh has built
# (and tested); a row that is below its tier stops it. Two runs on the same sources give the same bytes:
# paths are not in the programs, and all times are that of the last commit.
set -eu
cd "$(dirname "$0")/.."

LC_ALL=C TZ=UTC
export LC_ALL TZ
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

version=$(awk -F '"' '/^version = / {print $2; exit}' Cargo.toml)
place=$PWD/target/release-$version
rm -rf "$place"
mkdir -p "$place"

if [ $# = 0 ]; then
    # shellcheck disable=SC2046 # Triples have no blanks.
    set -- $(awk '!/^#/ && ($3 == "run" || $3 == "link") {print $1}' cross/targets.txt)
fi
ci/cross.sh "$@"

for triple in "$@"; do
    system=$(awk -v triple="$triple" '$1 == triple {print tolower($2)}' cross/targets.txt)
    features=$(sed -n 's/^tls=//p' "target/cross/state/$triple")
    name=coracle-$version-$triple
    root=$place/$name
    mkdir -p "$root/service"
    cp "target/cross/out/$triple/coracle" "$root/coracle"
    for file in "ports/$system"/*; do
        case $file in
            */README.md) cp "$file" "$root/README-$system.md" ;;
            *) cp "$file" "$root/service/" ;;
        esac
    done
    cp LICENSE-MIT LICENSE-APACHE README.md "$root/"
    ci/sbom.py --version "$version" --triple "$triple" --tls "$features" > "$root/coracle.cdx.json"
    chmod -R u=rwX,go=rX "$root"
    chmod 755 "$root/coracle"
    tar --create --directory "$place" --format=ustar --sort=name --owner=0 --group=0 --numeric-owner \
        --mtime="@$SOURCE_DATE_EPOCH" "$name" | gzip --no-name --best > "$place/$name.tar.gz"
    rm -rf "$root"
done

(cd "$place" && sha256sum -- *.tar.gz > SHA256SUMS && cat SHA256SUMS)
echo "release: $# archives in $place"
