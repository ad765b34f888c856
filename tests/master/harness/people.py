"""Which user the workers run as, and what that user can reach."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

UNPRIVILEGED = "nobody"


def worker_identity():
    """Arguments for Popen: root runs its workers as an unprivileged user, as they run in the field.

    So permissions mean the same whoever starts the tests. Everybody else runs them as themselves.
    """
    identity = {"umask": 0o022}
    if os.geteuid() == 0:
        entry = pwd.getpwnam(UNPRIVILEGED)
        identity.update(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
    return identity


def give(path):
    """Makes the user of the workers the owner of `path` and of all below it."""
    if os.geteuid() == 0:
        entry = pwd.getpwnam(UNPRIVILEGED)
        owner = f"{entry.pw_uid}:{entry.pw_gid}"
        subprocess.run(["chown", "-R", "-h", owner, str(path)], check=True)


def reachable(path):
    """Whether every user may enter all the directories that lead to the real `path`."""
    if os.geteuid() != 0:
        return True
    real = Path(path).resolve()
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in real.parents)


def within_reach(path, directory):
    """`path` itself if the workers' user can reach it, else a copy of it in `directory`."""
    if reachable(path):
        return Path(path)
    copy = Path(directory) / Path(path).name
    if not copy.exists():
        if Path(path).is_dir():
            shutil.copytree(path, copy, symlinks=True)
        else:
            shutil.copy2(path, copy)
    return copy
