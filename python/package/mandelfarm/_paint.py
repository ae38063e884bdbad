"""Values that are there, in colours."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._errors import UsageError
from ._requests import Colours, StrPath, as_json, colour_words
from ._tasks import Progress, result


@overload
def paint(
    values: ArrayLike | Mapping[str, ArrayLike],
    colours: str | Colours | None = None,
    *,
    progress: Progress = None,
) -> NDArray[Any]: ...
@overload
def paint(
    values: StrPath,
    colours: str | Colours | None = None,
    *,
    output: StrPath,
    plain: bool = False,
    progress: Progress = None,
) -> dict[str, Any]: ...
def paint(
    values: ArrayLike | Mapping[str, ArrayLike] | StrPath,
    colours: str | Colours | None = None,
    *,
    output: StrPath | None = None,
    plain: bool = False,
    progress: Progress = None,
) -> NDArray[Any] | dict[str, Any]:
    """Paints values that were computed before.

    values
        One array, or several by their measures' names (light on distances takes "smooth" and "distance"): pixels come as
        rows x columns x 3. Or the name of a `.npy` or `.exr`, whose picture goes to the file `output`; then the report
        comes, and `plain` begins with the usual colours instead of those that the file carries.
    colours
        As for `render`; the usual ones where nothing is said.
    """
    words = colour_words(colours)
    if isinstance(values, (str, os.PathLike)):
        if output is None:
            raise UsageError("output: data in a file are painted into a file")
        if plain:
            words["plain"] = True
        task = _native.paint_file(as_json(words), Path(values), Path(output))
        return dict(json.loads(result(task, progress)))
    if output is not None:
        raise UsageError("output: arrays are painted into an array")
    named: list[tuple[str | None, NDArray[np.float32]]]
    if isinstance(values, Mapping):
        named = [(name, _singles(array)) for name, array in values.items()]
    else:
        named = [(None, _singles(values))]
    pixels: NDArray[Any] = result(_native.paint_values(as_json(words), named), progress)
    return pixels


def _singles(values: ArrayLike) -> NDArray[np.float32]:
    """Values in single precision; what is no number is nothing to colour, as the inside is."""
    array = np.asarray(values)
    if array.ndim != 2:
        raise UsageError(f"values: an array of {array.ndim} dimensions is no picture")
    if array.dtype != np.float32:
        with np.errstate(over="ignore"):
            array = array.astype(np.float64).astype(np.float32)
    return np.where(np.isnan(array), np.float32(0), array)
