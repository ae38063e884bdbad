"""What may be asked for, and how it is handed on: the names of the command line's options, with `_` for `-`."""

import difflib
import json
import math
import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict

from ._errors import UsageError
from ._locations import Location
from ._numbers import Number, decimal_text
from ._types import Place

StrPath = str | os.PathLike[str]
Measure = Literal["iterations", "smooth", "distance", "stability", "fraction", "phase", "direction"]
Backend = Literal["auto", "cpu", "gpu"]


class Colours(TypedDict, total=False):
    """How pixels are coloured: docs/colour.md says what each does."""

    palette: str
    blend: str
    colour: Literal["smooth", "bands", "distance"]
    mapping: str
    equalise: bool
    colour_range: tuple[float, float]
    period: float
    cycles: float
    offset: float
    inside: str
    light: str
    no_light: bool
    samples: int
    dither: bool
    no_dither: bool
    depth: Literal[8, 16]


class Iterated(TypedDict, total=False):
    """What is iterated: a formula by its name or its operations, and the c of a Julia set."""

    formula: str
    julia: complex | tuple[Number, Number]


class Turn(TypedDict, total=False):
    """How a view is turned and stretched."""

    rotate: float
    stretch: float
    stretch_angle: float


class View(Turn, Iterated, total=False):
    """What is drawn: a view by its centre and magnification, by its bounds and a density, or that of a location."""

    re: Number
    im: Number
    zoom: Number
    xmin: Number
    xmax: Number
    ymin: Number
    ymax: Number
    density: Number
    size: tuple[int, int]
    location: StrPath | Location
    iterations: int
    escape_radius: float
    z0: complex
    skip_error_log2: int
    grid: Literal["pixels", "linspace"]
    arithmetic: str
    counts: Literal["fast", "settled"]


class Devices(TypedDict, total=False):
    """By what it is computed: how many workers in this process, and on which kinds of device."""

    workers: int
    backend: Backend


class PictureOptions(View, Devices, total=False):
    """Everything that may be said of a picture."""


class SequenceOptions(Devices, Iterated, total=False):
    """Everything that may be said of a sequence."""

    re: Number
    im: Number
    start: Number
    to: Number
    location: StrPath | Location
    view_rotate: float
    stretch: float
    stretch_angle: float
    iterations: int
    shallow_iterations: int
    size: tuple[int, int]
    fps: float | str
    seconds_per_octave: float
    duration: float
    ease: float
    rotate: float
    reverse: bool
    preview: bool
    key_samples: float
    ffmpeg: StrPath
    encoder: str
    encoder_options: Mapping[str, str]
    keep: StrPath
    reuse: StrPath


class LocateOptions(Turn, Iterated, total=False):
    """Everything that may be said of a search for a minibrot."""

    re: Number
    im: Number
    zoom: Number
    location: StrPath | Location
    upright: bool
    iterations: int


Words = dict[str, Any]
_COUNTS = {"iterations", "shallow-iterations"}
_FLOATS = {
    "rotate",
    "stretch",
    "stretch-angle",
    "view-rotate",
    "escape-radius",
    "seconds-per-octave",
    "duration",
    "ease",
    "key-samples",
}
_NUMBERS = {"re", "im", "zoom", "xmin", "xmax", "ymin", "ymax", "density", "from", "to"}


def path_of(path: StrPath | None) -> Path | None:
    """A file's name as a path."""
    return None if path is None else Path(path)


def check_names(function: str, options: Mapping[str, object], known: Any) -> None:
    """Raises TypeError for an option that there is not, as a call with an unknown argument does. `known` is a TypedDict."""
    names = known.__optional_keys__
    for name in options:
        if name not in names:
            near = difflib.get_close_matches(name, list(names), 1)
            hint = f". Did you mean '{near[0]}'?" if near else ""
            raise TypeError(f"{function}() got an unexpected keyword argument '{name}'{hint}")


def take_location(words: Words) -> Path | None:
    """Takes the location out of `words`: the file that it is in, while one in memory is said by the words themselves."""
    location = words.pop("location", None)
    if isinstance(location, Location):
        for name, value in location.words().items():
            words.setdefault(name, value)
        return None
    return path_of(location)


def take_place(words: Words, farm: Place | None = None) -> Place:
    """Takes out of `words` where and by what something is computed."""
    place = farm.copy() if farm is not None else nowhere()
    place["workers"] = words.pop("workers", None)
    place["backend"] = words.pop("backend", "auto")
    return place


def nowhere() -> Place:
    """In this process."""
    return {
        "url": None,
        "user": None,
        "password_file": None,
        "tls_ca": None,
        "tls_cert": None,
        "tls_key": None,
        "farm_key_file": None,
        "insecure": False,
        "on": None,
        "owner": None,
        "workers": None,
        "backend": "auto",
        "environment": {},
    }


def colour_words(colours: "str | Colours | None") -> Words:
    """Colours as words of a request; a text is a palette."""
    if colours is None:
        return {}
    if isinstance(colours, str):
        return {"palette": colours}
    known = Colours.__optional_keys__
    for name in colours:
        if name not in known:
            near = difflib.get_close_matches(name, list(known), 1)
            hint = f": did you mean '{near[0]}'?" if near else ""
            raise UsageError(f"colours: there is no '{name}'{hint}")
    return dict(colours)


def as_json(words: Words) -> str:
    """Words as a request: numbers as text with all their digits, sizes as `1280x720`."""
    request: Words = {}
    for name, value in words.items():
        if value is None:
            continue
        name = name.replace("_", "-")
        try:
            request[name] = _word(name, value)
        except (ValueError, OverflowError) as error:
            raise UsageError(f"{name}: {error}" if not isinstance(error, UsageError) else str(error)) from error
    return json.dumps(request, default=_plain)


def _word(name: str, value: Any) -> Any:
    if name in _NUMBERS:
        return decimal_text(value, name)
    if name == "size" and not isinstance(value, str):
        width, height = value
        return f"{operator.index(width)}x{operator.index(height)}"
    if name == "z0":
        start = complex(value)
        return (_finite(start.real), _finite(start.imag))
    if name == "julia":
        re, im = (value.real, value.imag) if isinstance(value, complex) else value
        return (decimal_text(re, name), decimal_text(im, name))
    if name in _COUNTS and not isinstance(value, str):
        # 1e6 is a count, and 1.5 is none.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return operator.index(value)
    if name in _FLOATS:
        return _finite(float(value))
    return str(value) if name == "fps" else value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    return value


def _plain(value: Any) -> Any:
    """A number of numpy's as one of Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} is nothing that a request can hold")
