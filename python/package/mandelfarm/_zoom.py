"""Sequences: into files, or frame by frame."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Unpack, overload

from numpy.typing import NDArray

from . import _native
from ._requests import (
    Colours,
    SequenceOptions,
    StrPath,
    Words,
    as_json,
    check_names,
    colour_words,
    path_of,
    take_location,
    take_place,
)
from ._types import Target
from ._tasks import LOOK, Progress, result, say_lines, stop


class Frames(Iterator[NDArray[Any]]):
    """The frames of a sequence, in order, each rows x columns x 3. They are made while they are asked for, a few ahead."""

    def __init__(self, task: _native.Task, frames: _native.Frames) -> None:
        self._task, self._frames, self._is_done = task, frames, False

    def __iter__(self) -> "Frames":
        return self

    def __next__(self) -> NDArray[Any]:
        while not self._is_done:
            try:
                self._is_done, frame = self._frames.take(LOOK)
            except BaseException:
                self.close()
                raise
            say_lines(self._task)
            if frame is not None:
                return frame
            if self._is_done:
                # Whether that was all of them.
                result(self._task, False)
        raise StopIteration

    def __len__(self) -> int:
        """How many frames the sequence has."""
        while (count := self._frames.count()) is None:
            if self._task.wait(LOOK):
                self._is_done = True
                result(self._task, False)
                return 0
        return count

    def close(self) -> None:
        """Ends it before its last frame."""
        self._is_done = True
        self._frames.close()
        stop(self._task)

    def __enter__(self) -> "Frames":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._is_done:
            self._frames.close()


@overload
def zoom(output: None = None, *, colours: str | Colours | None = None, **sequence: Unpack[SequenceOptions]) -> Frames: ...
@overload
def zoom(
    output: StrPath,
    *,
    colours: str | Colours | None = None,
    progress: Progress = None,
    **sequence: Unpack[SequenceOptions],
) -> dict[str, Any]: ...
def zoom(
    output: StrPath | None = None,
    *,
    colours: str | Colours | None = None,
    progress: Progress = None,
    **sequence: Unpack[SequenceOptions],
) -> Frames | dict[str, Any]:
    """A zoom into `re` and `im`, from the magnification `start` (1) to `to`; or into a `location`.

    output
        A video (.mp4, .webm, .mkv: needs ffmpeg) or numbered pictures like "frames/%06d.png", the same bytes as
        `submitter zoom -o`; the report comes. Without it frames come one after the other, as arrays.
    fps, seconds_per_octave, duration, ease, rotate, reverse, preview, iterations, shallow_iterations, size, key_samples,
    view_rotate, stretch, stretch_angle, ffmpeg, encoder, encoder_options, keep, reuse
        As the options of `submitter zoom`.
    """
    check_names("zoom", sequence, SequenceOptions)
    words: Words = dict(sequence)
    if "start" in words:
        words["from"] = words.pop("start")
    place = take_place(words)
    location = words.get("location")
    if location is not None and not isinstance(location, (str, Path)):
        _spread(words)
    file = take_location(words)
    target: Target = {
        "output": path_of(output),
        "location": file,
        "ffmpeg": path_of(words.get("ffmpeg")),
        "encoder": words.get("encoder"),
        "encoder_options": list((words.get("encoder_options") or {}).items()),
        "keep": path_of(words.get("keep")),
        "reuse": path_of(words.get("reuse")),
    }
    for name in target:
        words.pop(name, None)
    task, frames = _native.sequence(as_json({**words, **colour_words(colours)}), target, place)
    if output is None:
        return Frames(task, frames)
    return dict(json.loads(result(task, progress)))


def _spread(words: Words) -> None:
    """Says a Location in a sequence's words, whose view turns by other names."""
    said = words.pop("location").words()
    names = {"zoom": "to", "rotate": "view_rotate"}
    for name, value in said.items():
        words.setdefault(names.get(name, name), value)
