#!/usr/bin/env python3
"""Show pictures of |z_N| that `submitter render --measure stability` wrote, as the notebook does.

    notebook.py FILE.npy... [-o OUT.png]

Values are clipped to 0..2 and shown in plasma, row 0 at the top as numpy has it; points that left the circle of radius 2
are NaN and stay blank. Without -o a window opens. Needs numpy and matplotlib.
"""

import argparse
import pathlib

import matplotlib.pyplot as plt
import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE.npy")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="OUT.png")
    args = parser.parse_args()
    columns = len(args.files)
    # Constrained: titles stay within the figure, whatever shapes stand side by side.
    figure, panels = plt.subplots(1, columns, figsize=(5 * columns, 6), squeeze=False, layout="constrained")
    for panel, path in zip(panels[0], args.files):
        # Mapped, not read: a picture of any size is shown.
        result = np.load(path, mmap_mode="r")
        panel.imshow(result.clip(0, 2), cmap="plasma", vmin=0, vmax=2)
        panel.set_aspect("equal")
        panel.axis("off")
        panel.set_title(f"{path.stem}: {result.shape[1]} x {result.shape[0]}")
    if args.output:
        figure.savefig(args.output, dpi=100)
    else:
        plt.show()


if __name__ == "__main__":
    main()
