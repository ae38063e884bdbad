"""Pictures of the Mandelbrot set, exact at any depth: as numpy arrays, as files, as frames, or on a farm of workers.

    >>> import mandelfarm
    >>> counts = mandelfarm.render(re="-0.75", im="0.1", zoom=20, size=(320, 180))
    >>> pixels = mandelfarm.paint(counts, "magma")
"""

from ._errors import Error, MandelfarmWarning, Stopped, UsageError
from ._farm import Farm, Job
from ._locate import locate
from ._locations import Location
from ._numbers import Number
from ._paint import paint
from ._pictures import plan, render, render_file, stability
from ._requests import Colours, Measure
from ._tasks import Progress, Stage
from ._zoom import Frames, zoom

__all__ = [
    "Colours",
    "Error",
    "Farm",
    "Frames",
    "Job",
    "Location",
    "MandelfarmWarning",
    "Measure",
    "Number",
    "Progress",
    "Stage",
    "Stopped",
    "UsageError",
    "locate",
    "paint",
    "plan",
    "render",
    "render_file",
    "stability",
    "zoom",
]
