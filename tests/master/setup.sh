#!/bin/sh
# Makes the virtual environment of a Buildbot master and prints its path. The one of 4.3.0, the default,
# holds Python's worker and what the harness needs too. Reused as long as masters/VERSION.txt is what it
# was made from.
#
#   setup.sh [VERSION]
set -eu

version=${1:-4.3.0}
here=$(cd "$(dirname "$0")" && pwd)
target=$(cd "$here/../.." && pwd)/target
wanted=$here/masters/$version.txt
[ -f "$wanted" ] || {
    echo "setup.sh: there is no master $version; there are: $(cd "$here/masters" && echo *.txt | sed 's/\.txt//g')" >&2
    exit 1
}
case $version in
    4.3.0) venv=${CORACLE_MASTER_VENV:-$target/master-venv} ;;
    *) venv=$target/master-venv-$version ;;
esac
stamp=$venv/requirements.stamp
# Debian's own master runs on the packages of the system.
debian_packages=
[ "$version" != 3.7.0 ] || debian_packages="buildbot python3-openssl python3-service-identity"

# What the environment must have been made from; its scripts hold its path, so a moved one is made anew.
recipe() { cat "$wanted" && echo "# in $venv"; }

# The system's own Python is preferred: an unprivileged user can run it too (see cpython/).
python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3 || true)

have_all() {
    [ -n "$python" ] && "$python" -c 'import ensurepip' 2>/dev/null && command -v git >/dev/null &&
        { [ -z "$debian_packages" ] || have_debian_master; }
}

have_debian_master() {
    "$python" -c "import OpenSSL, service_identity, buildbot
assert buildbot.version.startswith('$version'), buildbot.version" 2>/dev/null
}

if ! have_all; then
    if [ "$(id -u)" != 0 ]; then
        echo "setup.sh: something is missing; install git python3-venv $debian_packages" >&2
        exit 1
    fi
    apt-get update -qq >&2
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        git python3-venv $debian_packages >&2
    python=/usr/bin/python3
    if [ -n "$debian_packages" ] && ! have_debian_master; then
        echo "setup.sh: this system's package buildbot is not version $version" >&2
        exit 1
    fi
fi

make_environment() {
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    # The system's packages are no complete set for pip, which must not add to them.
    if [ -n "$debian_packages" ]; then
        "$python" -m venv --system-site-packages "$venv"
        set -- --no-deps
    else
        "$python" -m venv "$venv"
        set --
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" -r "$wanted"
    # pkg_resources of that age looks for the name of the distribution as it is written.
    for found in "$venv"/lib/python3*/site-packages/zope_interface-5.5.2.dist-info; do
        [ ! -d "$found" ] || mv "$found" "$(dirname "$found")/zope.interface-5.5.2.dist-info"
    done
    recipe > "$stamp"
}

recipe | cmp -s - "$stamp" || make_environment >&2
echo "$venv"
