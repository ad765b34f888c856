"""What /proc tells of a running process: processor time, memory, wake-ups."""

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """Processor time of all threads so far, ended ones included, children not; to 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _kib(path, key):
    for line in Path(path).read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0


def rss_mib(pid):
    return _kib(f"/proc/{pid}/status", "VmRSS:") / 1024


def pss_mib(pid):
    """Resident memory with shared pages counted in part."""
    return _kib(f"/proc/{pid}/smaps_rollup", "Pss:") / 1024


def peak_mib(pid):
    return _kib(f"/proc/{pid}/status", "VmHWM:") / 1024


def forget_peak(pid):
    """From now on the peak is counted anew (proc(5): clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def switches(pid):
    """How often its threads have gone to sleep so far: every wake-up ends with one."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(_kib(task / "status", "voluntary_ctxt_switches:") for task in tasks)
