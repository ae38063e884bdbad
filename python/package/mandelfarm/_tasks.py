"""Tasks that are waited for: signals are heard, progress is shown, warnings are given."""

import atexit
import importlib
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from . import _native
from ._errors import MandelfarmWarning

_log = logging.getLogger("mandelfarm")
_HERE = os.path.dirname(__file__)
# Seconds between looks at a task. Ctrl-C is heard at each of them.
LOOK = 0.05
# Seconds after which a bar appears.
SOON = 0.5

atexit.register(_native.close)


@dataclass(frozen=True)
class Stage:
    """How far a task is."""

    number: int
    """From 1: those before it are done."""
    name: str
    """What is under way: `picture`, `reference orbit`, `painting`, `sequence`."""
    unit: str
    """What is counted: `strips`, `iterations`, `rows`, `frames`."""
    done: int
    total: int
    """At most so many."""
    workers: int
    """How many workers have delivered."""


Progress = bool | Callable[[Stage], object] | None
"""Whom progress is shown to: a bar of tqdm's where it is installed and somebody looks (None), always or never, or a function."""


class _Bar(Protocol):
    n: float

    def refresh(self) -> object: ...

    def close(self) -> None: ...


class _Shown:
    """Progress as it is wanted."""

    def __init__(self, progress: Progress) -> None:
        self._call = progress if callable(progress) else None
        self._make = None if callable(progress) else _bars(progress)
        # What is asked for comes at once; by itself a bar comes where it takes long.
        self._delay = 0.0 if progress else SOON
        self._bar: _Bar | None = None
        self._of = 0
        self._since = 0.0

    def show(self, task: _native.Task) -> None:
        told = task.stage()
        if told is None:
            return
        stage = Stage(*told)
        if self._call is not None:
            self._call(stage)
        elif self._make is not None:
            if self._of != stage.number:
                self.close()
                self._of, self._since = stage.number, time.monotonic()
            if self._bar is None and time.monotonic() - self._since >= self._delay:
                self._bar = self._make(stage)
            if self._bar is not None:
                self._bar.n = stage.done
                self._bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _bars(progress: bool | None) -> Callable[[Stage], _Bar] | None:
    if progress is False:
        return None
    try:
        # What of tqdm's suits: a widget in a notebook that has those, else a line.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tqdm = importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        return None
    in_notebook = "ipykernel" in sys.modules
    if progress is None and not in_notebook and not (sys.stderr and sys.stderr.isatty()):
        return None

    def make(stage: Stage) -> Any:
        return tqdm(total=stage.total, desc=stage.name, unit=f" {stage.unit}", leave=False)

    return make


def _depth() -> int:
    """How many calls the code that called this package is away from whoever calls this."""
    frame, depth = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame, depth = frame.f_back, depth + 1
    return depth


def say_lines(task: _native.Task) -> None:
    """Gives the task's warnings, and logs its notes."""
    for is_warning, line in task.lines():
        if is_warning:
            warnings.warn(line, MandelfarmWarning, stacklevel=_depth())
        else:
            _log.info("%s", line)


def stop(task: _native.Task) -> None:
    """Stops a task, and waits until it has put in order what it has to."""
    while not (task.stop() or task.wait(LOOK)):
        pass


def wait(task: _native.Task, progress: Progress, timeout: float | None = None) -> bool:
    """Waits until a task ends, or for so many seconds: whether it has ended. An exception meanwhile, such as
    KeyboardInterrupt, leaves it running."""
    shown, left = _Shown(progress), timeout
    try:
        while not task.wait(LOOK if left is None else min(LOOK, max(left, 0.0))):
            shown.show(task)
            say_lines(task)
            if left is not None:
                left -= LOOK
                if left <= 0:
                    return False
    finally:
        shown.close()
    say_lines(task)
    return True


def result(task: _native.Task, progress: Progress) -> Any:
    """What a task comes to. An exception meanwhile, such as KeyboardInterrupt, stops it."""
    try:
        wait(task, progress)
    except BaseException:
        stop(task)
        raise
    return task.result()
