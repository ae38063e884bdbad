"""Pictures: as arrays, as files, and what they would take."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._errors import UsageError
from ._requests import (
    Colours,
    Measure,
    PictureOptions,
    StrPath,
    Words,
    as_json,
    check_names,
    colour_words,
    take_location,
    take_place,
)
from ._types import Place, Wanted
from ._tasks import Progress, result

Array = NDArray[Any]


class Order:
    """A picture to be made: what is begun, and what its result is to callers."""

    def __init__(
        self,
        function: str,
        measures: str | Sequence[str] | None,
        colours: "str | Colours | None",
        options: Words,
        *,
        outputs: Sequence[Path] = (),
        measure: str | None = None,
        farm: Place | None = None,
    ) -> None:
        check_names(function, options, PictureOptions)
        words = dict(options)
        self.is_one = isinstance(measures, str)
        names = [measures] if isinstance(measures, str) else list(measures or ())
        self.paints = colours is not None and not outputs
        if measures is None and not self.paints and not outputs:
            names, self.is_one = ["smooth"], True
        if measures is not None and not names:
            raise UsageError("measures: none is named")
        self.names = names
        self.place = take_place(words, farm)
        self.wanted: Wanted = {
            "outputs": list(outputs),
            "kept": names,
            "paints": self.paints,
            "location": take_location(words),
            "measure": measure,
        }
        self.json = as_json({**words, **colour_words(colours)})

    def begin(self) -> _native.Task:
        return _native.picture(self.json, self.wanted, self.place)

    def arrays(self, made: dict[str, Any]) -> Any:
        """The arrays that were asked for."""
        if self.paints and not self.names:
            return made["pixels"]
        if self.is_one and not self.paints:
            return made["values"][self.names[0]]
        values = {name: made["values"][name] for name in self.names}
        if self.paints:
            values["pixels"] = made["pixels"]
        return values


@overload
def render(  # type: ignore[overload-overlap]  # a name is a sequence, too
    *, measures: Measure | None = None, colours: None = None, progress: Progress = None, **view: Unpack[PictureOptions]
) -> Array: ...
@overload
def render(
    *, measures: None = None, colours: str | Colours, progress: Progress = None, **view: Unpack[PictureOptions]
) -> Array: ...
@overload
def render(
    *,
    measures: Sequence[Measure],
    colours: str | Colours | None = None,
    progress: Progress = None,
    **view: Unpack[PictureOptions],
) -> dict[str, Array]: ...
@overload
def render(
    *, measures: Measure, colours: str | Colours, progress: Progress = None, **view: Unpack[PictureOptions]
) -> dict[str, Array]: ...
def render(
    *,
    measures: Measure | Sequence[Measure] | None = None,
    colours: str | Colours | None = None,
    progress: Progress = None,
    **view: Unpack[PictureOptions],
) -> Array | dict[str, Array]:
    """A picture as arrays, one value for each pixel, the first row at the top (with grid="linspace" at the bottom).

    measures
        A name: that measure, as one array. Names: a dict of arrays by name. Smooth counts where nothing is asked for.
    colours
        A palette, or a dict like {"palette": "magma", "equalise": True}: red, green and blue, rows x columns x 3. With
        measures as well a dict of all, pixels under "pixels".
    progress
        None: a bar of tqdm's where it is installed and somebody looks. True, False, or a function that is called with a
        Stage about twenty times a second.
    re, im, zoom, size
        The centre and the magnification of the view (half its height in the plane is 2/zoom), and columns and rows.
        Numbers are str, int, float, Decimal, Fraction, or of mpmath, gmpy2 or numpy; nothing of them is lost.
    xmin, xmax, ymin, ymax, density
        The same by its bounds, and samples per unit of the plane.
    location
        The same by a Location, or by a file: .toml, .kfr, or a picture that says where it was made.
    formula, julia
        What is iterated: a name that `submitter formulas` lists, or operations like "sqr add / absx absy pow3 add"; and the
        c of a Julia set, a complex number or its two parts, with all their digits.
    iterations, escape_radius, z0, rotate, stretch, stretch_angle, grid, counts, arithmetic, skip_error_log2
        As the options of `submitter render`.
    workers, backend
        How many workers compute in this process, and on which kinds of device: "auto", "cpu" or "gpu".

    Raises UsageError for what cannot be, before anything is computed; Error where it fails.
    """
    order = Order("render", measures, colours, dict(view))
    arrays: Array | dict[str, Array] = order.arrays(result(order.begin(), progress))
    return arrays


def render_file(
    output: StrPath | Sequence[StrPath],
    *,
    colours: str | Colours | None = None,
    measure: Measure | None = None,
    progress: Progress = None,
    **view: Unpack[PictureOptions],
) -> dict[str, Any]:
    """A picture as files, whose extensions say what they hold, streamed through little memory: the same bytes as
    `submitter render -o`. `measure` is what `.npy` holds; everything else is as for `render`. Returns the report.
    """
    paths = [output] if isinstance(output, (str, Path)) or not isinstance(output, Sequence) else output
    outputs = [Path(path) for path in paths]
    if not outputs:
        raise UsageError("output: none is named")
    order = Order("render_file", None, colours, dict(view), outputs=outputs, measure=measure)
    made: dict[str, Any] = result(order.begin(), progress)
    return dict(json.loads(made["report"])) if "report" in made else {"outputs": [str(path) for path in outputs]}


def plan(
    *, measures: Measure | Sequence[Measure] | None = None, colours: str | Colours | None = None, **view: Unpack[PictureOptions]
) -> dict[str, Any]:
    """What `render` would do, without doing it: size, arithmetic, digits, memory; as `submitter plan --json`."""
    order = Order("plan", measures, colours, dict(view))
    task = _native.plan(order.json, order.wanted, order.place)
    return dict(json.loads(result(task, False)))


def stability(
    xmin: Any,
    xmax: Any,
    ymin: Any,
    ymax: Any,
    density: Any,
    niterations: int,
    z: complex = 0,
    *,
    progress: Progress = None,
) -> NDArray[np.float64]:
    """|z| after exactly `niterations` steps of z <- z*z + c, from the start value `z`, on numpy.linspace along both axes.

    trunc((xmax - xmin) * density) columns and as many rows, row 0 at ymin. NaN where the orbit left the circle of radius 2.
    """
    values: NDArray[np.float64] = render(
        measures="stability",
        grid="linspace",
        xmin=xmin,
        xmax=xmax,
        ymin=ymin,
        ymax=ymax,
        density=density,
        iterations=niterations,
        z0=z,
        progress=progress,
    )
    return values
