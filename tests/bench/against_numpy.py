#!/usr/bin/env python3
"""Time the farm against numpy on the notebook's function, in one run, and compare the values.

    against_numpy.py [--density 2048] [--iterations 200] [--rounds 3] [--submitter PATH]

Both compute |z_N| after exactly N steps on numpy.linspace over -2..0.5 x -1.5..1.5, the whole command for the
farm (start, compute, write the .npy), the bare function for numpy. Prints the times of each round and the
median of their ratios. Needs numpy; nothing else.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np


def numpy_stability(density, iterations, z0=0):
    """The notebook's calculation: no escape test, complex128, z kept as one array."""
    xs = np.linspace(-2, 0.5, int(2.5 * density))
    ys = np.linspace(-1.5, 1.5, int(3.0 * density))
    c = xs[np.newaxis, :] + 1j * ys[:, np.newaxis]
    z = np.full_like(c, z0)
    with np.errstate(all="ignore"):
        for _ in range(iterations):
            z = z * z + c
        return np.abs(z)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--density", type=int, default=2048)
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--submitter", default=os.path.join(here, "..", "..", "target", "release", "submitter"))
    args = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.npy")
        command = [args.submitter, "render", "--density", str(args.density), "--iterations", str(args.iterations),
                   "--grid", "linspace", "--measure", "stability", "--quiet", "-o", path]
        for _ in range(args.rounds):
            started = time.perf_counter()
            subprocess.run(command, check=True)
            farm = time.perf_counter() - started
            started = time.perf_counter()
            expected = numpy_stability(args.density, args.iterations)
            bare = time.perf_counter() - started
            ratios.append(bare / farm)
            print(f"numpy {bare:.2f} s, farm {farm:.3f} s: {bare / farm:.0f} times faster")
        got = np.load(path)
    inside = expected <= 2
    agree = np.abs(got[inside] - expected[inside]) < 1e-6
    blank = np.isnan(got[~inside])
    print(f"of the values at most 2, {100 * agree.mean():.3f} % agree within 1e-6; of the rest, {100 * blank.mean():.3f} % are NaN")
    print(f"median: {statistics.median(ratios):.0f} times faster")


if __name__ == "__main__":
    main()
