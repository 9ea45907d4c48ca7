"""What this process may use: cores by affinity and cgroup v2, memory by cgroup v2 and what
is free; and what its workers hold."""
from __future__ import annotations

import os
from typing import Iterable, Iterator, Optional, Union

from .errors import ArgumentError

__all__ = ["amount", "available_bytes", "cores", "held_bytes"]

_CGROUPS = "/sys/fs/cgroup"
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10,
          "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def _text(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            return f.read()
    except OSError:
        return None


def _cgroups(proc: str = "/proc", cgroups: str = _CGROUPS) -> Iterator[str]:
    """The folders of this process's cgroup (v2) and those above it."""
    for line in (_text(f"{proc}/self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        if number != "0":
            continue
        path = rest.partition(":")[2]
        names = [name for name in path.split("/") if name]
        for n in range(len(names), -1, -1):
            yield os.path.join(cgroups, *names[:n])


def cores(proc: str = "/proc", cgroups: str = _CGROUPS) -> int:
    """Cores that this process may run on: its affinity, and the quota of each cgroup that it
    is in, rounded up; at least 1."""
    n = len(os.sched_getaffinity(0))
    for folder in _cgroups(proc, cgroups):
        quota = (_text(os.path.join(folder, "cpu.max")) or "max").split()
        if len(quota) == 2 and quota[0].isdigit() and quota[1].isdigit() and int(quota[1]):
            n = min(n, -(-int(quota[0]) // int(quota[1])))
    return max(1, n)


def _reclaimable(folder: str) -> int:
    """Bytes of a cgroup that the kernel takes back before it runs out: cached files."""
    names = ("active_file", "inactive_file", "slab_reclaimable")
    pairs = (line.split() for line in (_text(os.path.join(folder, "memory.stat")) or "")
             .splitlines())
    return sum(int(pair[1]) for pair in pairs
               if len(pair) == 2 and pair[0] in names and pair[1].isdigit())


def available_bytes(proc: str = "/proc", cgroups: str = _CGROUPS) -> int:
    """Memory that this process may still take: what is available, and what each cgroup that
    it is in has left, counting cached files as free. 0: not known."""
    left = []
    for line in (_text(f"{proc}/meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            left.append(int(line.split()[1]) * 1024)
    for folder in _cgroups(proc, cgroups):
        most = (_text(os.path.join(folder, "memory.max")) or "max").strip()
        now = (_text(os.path.join(folder, "memory.current")) or "").strip()
        if most.isdigit() and now.isdigit():
            held = max(0, int(now) - _reclaimable(folder))
            left.append(max(1, int(most) - held))
    return min(left, default=0)


def held_bytes(pids: Iterable[int], proc: str = "/proc") -> int:
    """What these processes hold: their proportional set sizes, in which a page that n
    processes share counts as 1/n. A process that has ended holds nothing."""
    kilobytes = 0
    for pid in pids:
        for line in (_text(f"{proc}/{pid}/smaps_rollup") or "").splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes * 1024


def amount(what: str, given: Union[int, float, str]) -> int:
    """Bytes: a number, a text such as 8GB or 512MiB, or a share of what is available such as
    25%. Raises ArgumentError."""
    if isinstance(given, str):
        text = given.strip().upper().replace(" ", "")
        digits = text.rstrip("%BKMGTI")
        unit = text[len(digits):]
        try:
            number = float(digits)
        except ValueError:
            number = -1.0
        if unit == "%":
            number *= available_bytes() / 100
        elif unit in _UNITS:
            number *= _UNITS[unit]
        else:
            number = -1.0
    else:
        number = float(given)
    if not 0 < number < 2**62:
        raise ArgumentError(f"{what} is {given!r}: neither bytes nor a text such as 8GB, "
                            "512MiB or 25%")
    return int(number)
