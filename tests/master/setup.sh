#!/bin/sh
# Makes the virtual environment that holds the Buildbot master and Python's worker, and prints its path.
# Reused as long as requirements.txt is what it was made from.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
venv=${CORACLE_MASTER_VENV:-$(cd "$here/../.." && pwd)/target/master-venv}
wanted=$here/requirements.txt
stamp=$venv/requirements.stamp

# What the environment must have been made from; its scripts hold its path, so a moved one is made anew.
recipe() { cat "$wanted" && echo "# in $venv"; }

# The system's own Python is preferred: an unprivileged user can run it too (see cpython/).
python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3 || true)

have_all() {
    [ -n "$python" ] && "$python" -c 'import ensurepip' 2>/dev/null && command -v git >/dev/null
}

if ! have_all; then
    if [ "$(id -u)" != 0 ]; then
        echo "setup.sh: git or Python's venv module is missing; install git and python3-venv" >&2
        exit 1
    fi
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends git python3-venv >&2
    python=/usr/bin/python3
fi

if ! recipe | cmp -s - "$stamp"; then
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    "$python" -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted" >&2
    recipe > "$stamp"
fi
echo "$venv"
