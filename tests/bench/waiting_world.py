#!/usr/bin/env python3
"""Boot a world of many local workers that only wait, and drain one job with them: how long, and at what efficiency.

    waiting_world.py [--workers 64] [--strips 10000] [--secs 0.25] [--rounds 3] [--bin DIR]

Each worker is a process of its own whose device takes a given time for a strip and computes next to nothing
(`pretender --mode wait`, built with the tests), so that more workers than cores can be told apart from too slow a farm.
Boots with `submitter world boot` (all at once), a private Redis included, and shuts down at the end.

    boot          from the start of the command to its end: every worker has joined
    efficiency    strips x time / (workers x elapsed), elapsed from the start of the render command to its end

Goals, for 64 workers and 10,000 strips: boot under 10 s, efficiency at least 0.9. Ends with status 1 when one is missed
in the median. Standard library only.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

BOOT_GOAL_SECS = 10
EFFICIENCY_GOAL = 0.9


def world(args):
    pretender = os.path.abspath(os.path.join(args.bin, "pretender"))
    return f"""meta: {{name: waiting}}
networks:
  default: {{targets: "w-[1-{args.workers}]", boot-concurrency: 0}}
templates:
  waiting: {{targets: "w-[1-{args.workers}]", scheme: local}}
farm:
  worker: {pretender}
  options: ["--mode", "wait", "--secs", "{args.secs}"]
"""


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--strips", type=int, default=10_000)
    parser.add_argument("--secs", type=float, default=0.25, help="of a strip")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bin", default=os.path.join(here, "..", "..", "target", "release"))
    args = parser.parse_args()
    submitter = os.path.join(args.bin, "submitter")
    boots, elapsed = [], []
    ideal = args.strips * args.secs / args.workers
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "waiting.penvm")
        with open(file, "w", encoding="utf-8") as out:
            out.write(world(args))
        on = [file, "--state", os.path.join(folder, "state")]
        render = [submitter, "render", "--quiet", "--json", "--no-journal", "--fallback", "never", "--backend", "cpu",
                  "--re", "-0.75", "--im", "0.1", "--zoom", "20", "--size", f"64x{args.strips}", "--strip-rows", "1",
                  "--iterations", "50", "-o", os.path.join(folder, "x.npy"), "--world", *on]
        for round_ in range(args.rounds):
            try:
                begun = time.perf_counter()
                subprocess.run([submitter, "world", "boot", *on, "--require-all", "--quiet"], check=True)
                boots.append(time.perf_counter() - begun)
                begun = time.perf_counter()
                done = subprocess.run(render, check=True, stdout=subprocess.PIPE, text=True)
                elapsed.append(time.perf_counter() - begun)
            finally:
                subprocess.run([submitter, "world", "shutdown", *on, "--json"], check=True, stdout=subprocess.DEVNULL)
            report = json.loads(done.stdout)
            assert report["strips"] == args.strips and report["redelivered"] == 0, report
            least = min(worker["strips"] for worker in report["workers"])
            print(f"round {round_ + 1}: boot {boots[-1]:.2f} s, {len(report['workers'])} workers, {args.strips} strips in "
                  f"{elapsed[-1]:.2f} s of at least {ideal:.2f} s: efficiency {ideal / elapsed[-1]:.3f}; "
                  f"fewest strips of a worker {least}", flush=True)
    boot, efficiency = statistics.median(boots), ideal / statistics.median(elapsed)
    print(f"median: boot {boot:.2f} s (goal: under {BOOT_GOAL_SECS} s), efficiency {efficiency:.3f} (goal: {EFFICIENCY_GOAL})")
    sys.exit(not (boot < BOOT_GOAL_SECS and efficiency >= EFFICIENCY_GOAL))


if __name__ == "__main__":
    main()
