"""Places in the plane."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any

from . import _native


@dataclass(frozen=True)
class Location:
    """A place in the plane, and what suits a picture of it: render(location=...) draws it."""

    re: Decimal
    im: Decimal
    zoom: Decimal
    iterations: int | None = None
    rotate: float = 0.0
    stretch: float = 0.0
    stretch_angle: float = 0.0
    period: int | None = None
    """Iterations after which the minibrot's nucleus comes back to 0."""
    shape: str | None = None
    """`cardioid` or `disc`; `minibrot` of other formulas than z² + c."""
    scale: Decimal | None = None
    """The factor that shrinks the whole set to the minibrot."""
    turned: float | None = None
    """Degrees by which the minibrot is turned."""
    nucleus: tuple[Decimal, Decimal] | None = None
    """Its centre: real and imaginary part."""
    toml: str = field(default="", repr=False)
    """As `submitter locate` writes it."""
    kfr: str = field(default="", repr=False)
    """As Kalles Fraktaler has it."""

    def words(self) -> dict[str, Any]:
        """The place as options of a picture."""
        words: dict[str, Any] = {"re": self.re, "im": self.im, "zoom": self.zoom, "iterations": self.iterations}
        for name in ("rotate", "stretch", "stretch_angle"):
            words[name] = getattr(self, name) or None
        return words

    def save(self, path: str | PathLike[str]) -> None:
        """Writes it to a `.toml`, or to a `.kfr` for Kalles Fraktaler."""
        path = Path(path)
        _native.write_text(path, self.kfr if path.suffix.lower() == ".kfr" else self.toml)


def from_native(texts: tuple[str, str, str]) -> Location:
    """The location that the library found."""
    told = json.loads(texts[0])
    minibrot = told.get("minibrot") or {}
    has_nucleus = minibrot.get("re") is not None and minibrot.get("im") is not None
    return Location(
        re=Decimal(told["re"]),
        im=Decimal(told["im"]),
        zoom=Decimal(told["zoom"]),
        iterations=told.get("iterations"),
        rotate=told.get("rotate") or 0.0,
        stretch=told.get("stretch") or 0.0,
        stretch_angle=told.get("stretch_angle") or 0.0,
        period=minibrot.get("period"),
        shape=minibrot.get("shape"),
        scale=Decimal(minibrot["size"]) if "size" in minibrot else None,
        turned=minibrot.get("turned"),
        nucleus=(Decimal(minibrot["re"]), Decimal(minibrot["im"])) if has_nucleus else None,
        toml=texts[1],
        kfr=texts[2],
    )
