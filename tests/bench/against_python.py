#!/usr/bin/env python3
"""Time `mandelfarm` against two other packages of PyPI on the same views, in one run, and compare what they computed.

    python3 -m venv bench
    bench/bin/pip install heaton-life fractalshades 'numpy<2.4' WHEEL
    bench/bin/python tests/bench/against_python.py [--side 512] [--rounds 3]

fractalshades is compiled, which takes libmpfr-dev and libmpc-dev, and does not run with numpy 2.4.

Square views, one value for each pixel. Against heaton-life: smooth counts as an array from both, with its bivariate linear
approximation where that exists (zooms over 1e13). Against fractalshades: from the request to a coloured picture, as that
package computes nothing without painting it; its compiled code is warmed up by a small picture of the same view, and
whatever a package caches on the disk is in a folder of its own for each round. Each package uses all cores as it does by
itself. Prints the median seconds of each and the ratios, and how many smooth counts agree within 1.5, as the two
packages count from different ends.
"""

import argparse
import contextlib
import decimal
import io
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np

# Views whose exact counts are in tests/data/oracle, from the whole set to 1e164.
VIEWS = ["whole-set", "wiki-seahorse-wiki6", "wiki-seahorse-wiki14", "mini-1e47", "e113", "mini-1e164"]
ORACLE = pathlib.Path(__file__).resolve().parent.parent / "data/oracle"
RADIUS = 1000.0


def of_mandelfarm(re, im, zoom, iterations, side, colours=None):
    import mandelfarm

    return mandelfarm.render(
        re=re, im=im, zoom=zoom, size=(side, side), iterations=iterations, escape_radius=RADIUS, backend="cpu",
        colours=colours, progress=False,
    )  # fmt: skip


def of_heaton(re, im, zoom, iterations, side):
    from heaton_life.core.viewport import Viewport
    from heaton_life.fractal.escape_fields import Mandelbrot

    power = float(decimal.Decimal(zoom).log10())
    field = Mandelbrot(max_iter=iterations, escape_radius=RADIUS, bla=power > 13)
    # 4 / 10^zoom is the width of its view, and the height of ours.
    return field.fields((side, side), Viewport(re, im, power), smooth=True).smooth


def of_fractalshades(re, im, zoom, iterations, side):
    import fractalshades as fs
    import fractalshades.colors as fscolors
    import fractalshades.models as fsm
    import mpmath
    from fractalshades.colors.layers import Color_layer
    from fractalshades.postproc import Continuous_iter_pp, Postproc_batch

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        fs.settings.verbosity = 0
        limits = {"calc_name": "counts", "subset": None, "max_iter": iterations, "M_divergence": RADIUS, "epsilon_stationnary": 1e-3}
        shape = {"nx": side, "xy_ratio": 1.0, "theta_deg": 0.0}
        if decimal.Decimal(zoom) < 10**9:
            fractal = fsm.Mandelbrot(folder)
            fractal.zoom(x=float(re), y=float(im), dx=4 / float(zoom), **shape)
            fractal.calc_std_div(**limits)
        else:
            fractal = fsm.Perturbation_mandelbrot(folder)
            mpmath.mp.dps = digits = decimal.Decimal(zoom).adjusted() + 20
            fractal.zoom(precision=digits, x=re, y=im, dx=mpmath.mpf(4) / mpmath.mpf(zoom), **shape)
            fractal.calc_std_div(**limits, calc_dzndc=False)
        batch = Postproc_batch(fractal, "counts")
        batch.add_postproc("smooth", Continuous_iter_pp())
        plotter = fs.Fractal_plotter(batch)
        colours = fscolors.cmap_register["classic"]
        plotter.add_layer(Color_layer("smooth", func="np.log(x)", colormap=colours, probes_z=[0.0, 1.0], output=True))
        plotter.plot()
        pictures = [name for _, _, names in os.walk(folder) for name in names if name.endswith(".png")]
        assert pictures, "it painted none"


def median_secs(work, rounds):
    """Median seconds of several rounds, and what the last one made."""
    times, made = [], None
    for _ in range(rounds):
        started = time.perf_counter()
        made = work()
        times.append(time.perf_counter() - started)
    return statistics.median(times), made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"{args.side} x {args.side} pixels, {os.cpu_count()} cores, median of {args.rounds} rounds")
    for name in VIEWS:
        told = json.loads((ORACLE / f"{name}.json").read_text())
        view = (told["re"], told["im"], told["zoom"], told["iterations"])
        # Whatever is prepared once: threads, compiled code, imports.
        of_mandelfarm(*view, 32)
        ours, counts = median_secs(lambda: of_mandelfarm(*view, args.side), args.rounds)
        painted, _ = median_secs(lambda: of_mandelfarm(*view, args.side, "magma"), args.rounds)
        of_heaton(*view, 8)
        heaton, theirs = median_secs(lambda: of_heaton(*view, args.side), args.rounds)
        agree = np.mean(np.abs(counts.astype(np.float64) - theirs) <= 1.5)
        print(f"{name}: mandelfarm {ours:.3f} s; heaton-life {heaton:.1f} s, {heaton / ours:.0f} times; {100 * agree:.2f} % of the counts agree")
        sys.stdout.flush()
        of_fractalshades(*view, 32)
        shades, _ = median_secs(lambda: of_fractalshades(*view, args.side), args.rounds)
        print(f"{name}: mandelfarm, painted {painted:.3f} s; fractalshades {shades:.1f} s, {shades / painted:.0f} times")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
