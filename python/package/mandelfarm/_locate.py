"""Minibrots."""

from typing import Any, Unpack

from . import _native
from ._locations import Location, from_native
from ._requests import LocateOptions, Words, as_json, check_names, take_location
from ._tasks import Progress, result


def locate(*, progress: Progress = None, **view: Unpack[LocateOptions]) -> Location:
    """Finds the minibrot in or near a view: `re`, `im` and `zoom`, or `location`, a file or a Location.

    upright
        Turn the minibrot's view so that it stands as the whole set does.
    iterations
        Longest period that is looked for; 1,000,000 where none is given.
    """
    check_names("locate", view, LocateOptions)
    words: Words = dict(view)
    place = words.get("location")
    if isinstance(place, Location):
        # Around its centre; its iterations are those of a picture.
        del words["location"]
        words = {**{name: getattr(place, name) for name in ("re", "im", "zoom")}, **words}
    file = take_location(words)
    texts: Any = result(_native.minibrot(as_json(words), file), progress)
    return from_native(texts)
