"""Ctrl-C is heard within a fraction of a second, whatever is under way, and other threads run meanwhile."""

import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import LIMIT, RunningFarm, run_python, until

import mandelfarm

# Seconds. The best of three counts: this machine may be busy with other things.
SOON, TRIES = 0.5, 3

BEGIN = """
import signal, sys, time
import mandelfarm
signal.signal(signal.SIGINT, signal.default_int_handler)
LONG = dict(re="-0.7436438870371587", im="0.13182590420531197", iterations=50_000_000)
def begun(stage):
    if not begun.said and stage.name in begun.names:
        begun.said = True
        print("begun", flush=True)
begun.said, begun.names = False, ("picture", "sequence", "reference orbit", "Newton's method")
def ended():
    print("ended", time.monotonic(), flush=True)
try:
    WORK
except KeyboardInterrupt:
    ended()
    sys.exit(7)
print("not interrupted", flush=True)
"""

WORKS = {
    "a picture": "mandelfarm.render(**LONG, zoom=1e9, size=(3000, 2000), progress=begun)",
    "pixels": "mandelfarm.render(**LONG, zoom=1e9, size=(3000, 2000), colours='dusk', progress=begun)",
    "a deep picture's orbit": "mandelfarm.render(re='-1.' + '74' * 4000, im='0.02' + '81' * 4000, zoom='1e7000', iterations=10**9, progress=begun)",
    "a minibrot": "mandelfarm.locate(re='-0.1', im='0.1', zoom='1e3000', iterations=10**9, progress=begun)",
    "a file": "mandelfarm.render_file('x.png', **LONG, zoom=1e9, size=(3000, 2000), progress=begun)",
    "a video": "mandelfarm.zoom('x.mp4', **LONG, to=1e9, size=(1280, 720), progress=begun)",
    "a sequence's frames": "frames = mandelfarm.zoom(**LONG, start=1e8, to=1e9, size=(1920, 1080)); print('begun', flush=True); [None for _ in frames]",
    "a farm's job": "mandelfarm.Farm(URL).submit(**LONG, zoom=1e9, size=(3000, 2000)).result(progress=begun)",
}


@pytest.mark.parametrize("work", list(WORKS))
def test_ctrl_c(farm: RunningFarm, tmp_path: Path, work: str) -> None:
    code = f"import os; os.chdir({str(tmp_path)!r}); URL = {farm.url!r}\n" + BEGIN.replace("WORK", WORKS[work])
    took: list[float] = []
    for _ in range(TRIES):
        running = run_python(code)
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "begun\n"
            sent = time.monotonic()
            running.send_signal(signal.SIGINT)
            said, errors = running.communicate(timeout=LIMIT)
        finally:
            running.kill()
            running.wait()
        assert running.returncode == 7, said + errors
        took.append(float(said.split()[1]) - sent)
        left = [path.name for path in tmp_path.iterdir()]
        assert left == [], "nothing half-written"
        if took[-1] < SOON:
            return
    raise AssertionError(f"{work}: heard after {took} s")


def test_a_signal_of_another_kind_leaves_by_its_own_exception() -> None:
    class Late(Exception):
        pass

    def ring(*_: object) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        began = time.monotonic()
        with pytest.raises(Late):
            mandelfarm.render(re="-0.7436438870371587", im="0.13182590420531197", zoom=1e9, iterations=50_000_000, size=(3000, 2000))
        assert time.monotonic() - began < 10
        until("nobody computes any more", idle)
    finally:
        signal.signal(signal.SIGALRM, before)


def idle() -> bool:
    """Whether this process computed nothing for a moment."""
    began = time.process_time()
    time.sleep(0.3)
    return time.process_time() - began < 0.05


def test_other_threads_run_meanwhile() -> None:
    view = {"re": "-0.7436438870371587", "im": "0.13182590420531197", "zoom": 2e9, "iterations": 20000, "size": (640, 360)}
    expected = mandelfarm.render(**view)
    ticks, ended = 0, threading.Event()
    got: list[np.ndarray] = []

    def work() -> None:
        got.append(mandelfarm.render(**view))
        ended.set()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    while not ended.is_set():
        ticks += 1
        time.sleep(0)
    for thread in threads:
        thread.join()
    assert ticks > 100, "this thread had its turns"
    assert all(np.array_equal(array, expected) for array in got) and len(got) == 2
