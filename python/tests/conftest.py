"""What the tests share: the programs of the same build, and a farm of real servers and workers."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
# Long enough for a machine that has much else to do.
LIMIT = 120.0


def program(name: str) -> str:
    """The path of a program of this build."""
    folder = os.environ.get("MANDELFARM_PROGRAMS", str(ROOT / "target/release"))
    path = Path(folder) / name
    assert path.is_file(), f"{path} is missing: ./tests/run builds it, or set MANDELFARM_PROGRAMS"
    return str(path)


def submitter(*words: object, within: Path | None = None, fails: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Runs `submitter`, which does not look for journals."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FARM_")}
    line = [program("submitter"), *map(str, words)]
    done = subprocess.run(line, cwd=within, env=environment, capture_output=True, timeout=LIMIT)
    assert (done.returncode != 0) == fails, f"{line}: {done.returncode}: {done.stderr.decode()}"
    return done


def rendered(folder: Path, name: str, *words: object) -> Path:
    """The file that `submitter render` writes."""
    submitter("render", "-q", "--no-journal", *words, "-o", folder / name)
    return folder / name


def array(folder: Path, *words: object) -> np.ndarray:
    """The array that `submitter render` writes."""
    return np.load(rendered(folder, "x.npy", *words))


def until(what: str, holds) -> None:
    """Waits for a condition."""
    end = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {LIMIT} s"
        time.sleep(0.01)


def run_python(code: str, **environment: str) -> subprocess.Popen[str]:
    """A Python of its own that runs `code`."""
    return subprocess.Popen(
        [sys.executable, "-u", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


# The farm's worker: its name, and what it is good for.
WORKER = ("--name", "w", "--tag", "tagged")


class RunningFarm:
    """A Redis server on a socket of its own, and a worker."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--maxmemory-policy", "noeviction"]
        self.processes = [self._start("redis-server", *options, within=folder)]
        until("the server's socket", self.socket.exists)
        self.processes.append(self._start(program("farm-worker"), *WORKER, "--redis", self.url, within=folder))
        until("a worker", lambda: b'"w"' in submitter("workers", "list", "--redis", self.url, "--json").stdout)

    @staticmethod
    def _start(*line: str, within: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(line, cwd=within, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def jobs(self) -> bytes:
        return submitter("jobs", "list", "--redis", self.url, "--json").stdout

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait(LIMIT)


@pytest.fixture(scope="session")
def farm() -> Iterator[RunningFarm]:
    # In a folder with a short name: the paths of sockets have few characters.
    with tempfile.TemporaryDirectory(prefix="farm-") as folder:
        running = RunningFarm(Path(folder))
        try:
            yield running
        finally:
            running.close()
