"""Pictures on a farm: workers around a Redis."""

import os
from collections.abc import Sequence
from typing import Any, Unpack

from . import _native
from ._pictures import Order
from ._requests import Colours, Measure, PictureOptions, StrPath, nowhere, path_of
from ._types import Place
from ._tasks import Progress, Stage, say_lines, stop, wait


class Job:
    """A picture that a farm computes. This process hands its strips out and puts them together, meanwhile free for other
    things; when the process ends, so does the job."""

    def __init__(self, order: Order) -> None:
        self._order, self._task = order, order.begin()
        self._made: Any = None

    def progress(self) -> Stage | None:
        """How far it is; None before it has begun, and when it is done."""
        told = self._task.stage()
        return None if told is None else Stage(*told)

    def done(self) -> bool:
        """Whether it has ended."""
        return self._task.wait(0)

    def result(self, timeout: float | None = None, *, progress: Progress = False) -> Any:
        """What `render` returns, once the job has ended. Raises TimeoutError after `timeout` seconds, and why there is no
        picture where there is none. Ctrl-C leaves the job running."""
        if self._made is None:
            if not wait(self._task, progress, timeout):
                raise TimeoutError(f"the job has not ended within {timeout} s")
            say_lines(self._task)
            self._made = self._order.arrays(self._task.result())
        return self._made

    def cancel(self) -> None:
        """Stops it: nothing is left of it on the farm."""
        stop(self._task)


def _user() -> str | None:
    """The user's name, where the environment tells it."""
    names = (os.environ.get(name, "") for name in ("FARM_OWNER", "USER", "LOGNAME", "USERNAME"))
    return next((name for name in names if name.strip() and ":" not in name), None)


class Farm:
    """The farm around a Redis: rediss://[USER:PASSWORD@]HOST[:PORT] (TLS), redis:// (plain text), unix:///PATH, or what
    Sentinels call NAME: rediss+sentinel://HOST[:PORT],HOST/NAME.

    What is left out of the way in is as the environment has it (FARM_REDIS_PASSWORD and so on: docs/security.md).

    on
        A tag: its jobs go to workers that have it alone (farm-worker --tag TAG).
    owner
        Whose its jobs are, for people; the user's name where it is left out.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        password_file: StrPath | None = None,
        tls_ca: StrPath | None = None,
        tls_cert: StrPath | None = None,
        tls_key: StrPath | None = None,
        farm_key_file: StrPath | None = None,
        insecure: bool = False,
        on: str | None = None,
        owner: str | None = None,
    ) -> None:
        self._place: Place = {
            **nowhere(),
            "url": url,
            "user": user,
            "password_file": path_of(password_file),
            "tls_ca": path_of(tls_ca),
            "tls_cert": path_of(tls_cert),
            "tls_key": path_of(tls_key),
            "farm_key_file": path_of(farm_key_file),
            "insecure": insecure,
            "on": on,
            "owner": _user() if owner is None else owner,
            "environment": {name: value for name, value in os.environ.items() if name.startswith("FARM_")},
        }

    def submit(
        self,
        *,
        measures: Measure | Sequence[Measure] | None = None,
        colours: str | Colours | None = None,
        **view: Unpack[PictureOptions],
    ) -> Job:
        """Begins a picture on the farm, by the arguments of `render`; `workers` is how many take part at most."""
        return Job(Order("submit", measures, colours, dict(view), farm=self._place))
