"""What processes hold: descriptors, threads, memory."""

import pathlib
import time
from dataclasses import dataclass

# How long what is kept for a while only, such as idle threads, may take to go.
SETTLE = 60.0


@dataclass
class Held:
    """What a process holds at a time; memory in MiB, of its own alone."""

    files: int
    threads: int
    mib: float

    @classmethod
    def of(cls, pid):
        process = pathlib.Path(f"/proc/{pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        return cls(
            files=len(list((process / "fd").iterdir())),
            threads=int(status["Threads"]),
            mib=int(status["RssAnon"].split()[0]) / 1024,
        )


def at_rest(pids):
    """What processes, by name, hold when none has fewer files or threads than a while before."""
    last = {name: Held.of(pid) for name, pid in pids.items()}
    end = time.monotonic() + SETTLE
    while True:
        # Longer than tokio keeps a thread that has nothing to do.
        time.sleep(15)
        now = {name: Held.of(pid) for name, pid in pids.items()}
        falls = any(held.files < last[name].files or held.threads < last[name].threads for name, held in now.items())
        if not falls or time.monotonic() > end:
            return now
        last = now


def at_rest_again(pids, before):
    """What they hold when none has more files or threads than before, or when that has been waited for long enough."""
    end = time.monotonic() + SETTLE
    while True:
        now = {name: Held.of(pid) for name, pid in pids.items()}
        more = any(held.files > before[name].files or held.threads > before[name].threads for name, held in now.items())
        if not more or time.monotonic() > end:
            return now
        time.sleep(0.5)


def compare(name, before, after, most_mib):
    """A line about both, and whether it holds no more than it did."""
    good = after.files <= before.files and after.threads <= before.threads and after.mib <= before.mib + most_mib
    line = (
        f"{name:10} files {before.files:4} -> {after.files:4}   threads {before.threads:3} -> {after.threads:3}   "
        f"MiB {before.mib:6.1f} -> {after.mib:6.1f}{'' if good else '   MORE'}"
    )
    return line, good
