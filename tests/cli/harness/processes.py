"""Processes of a session, and waiting for a condition."""
import contextlib
import glob
import time


def session_processes(sid):
    """The processes of a session that are not zombies."""
    found = []
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat) as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == sid and fields[0] != "Z":
            found.append(int(stat.split("/")[2]))
    return found


def rank_process(sid, rank):
    """The process of a rank that mpirun started in a session."""
    wanted = f"OMPI_COMM_WORLD_RANK={rank}".encode()
    for pid in session_processes(sid):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as f:
            if wanted in f.read().split(b"\0"):
                return pid  # the others may end meanwhile
    raise AssertionError(f"no process of rank {rank}")


def wait_until(condition, seconds, what, every_s=0.02):
    """Waits for a condition; fails by name when it does not come true."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every_s)
