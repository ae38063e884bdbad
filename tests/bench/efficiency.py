#!/usr/bin/env python3
"""Measure what a farm costs beside computing: workers whose devices only wait, on a real redis-server.

    efficiency.py [--workers 16] [--secs 0.25,0.05,0] [--strips 40] [--rounds 3] [--processes 4] [--bin DIR]

Each worker's device takes a given time for a strip, one strip after the other, and computes next to nothing. So
strips x time / workers is the least time that a job can take, and what it takes beyond that is the farm's: leases,
deliveries, Redis, the submitter's start and end. Prints a table: the median of the rounds.

    efficiency            strips x time / (workers x elapsed)
    overhead per strip    a worker's time beside its device's, by strip: (workers x elapsed - strips x time) / strips

With a time of 0 it shows how many strips a second the farm carries. `pretender` is built with the tests. Starts a private
redis-server, takes all down again. Standard library only.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(command):
    """A pretender that is ready, with its stderr on a pipe that nobody needs to read any more."""
    process = subprocess.Popen([*command, "--log", "info"], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "ready" in line:
            return process
    raise SystemExit(f"{command[0]} ended before it was ready")


def measure(args, url, workers, secs, folder):
    """Elapsed seconds of each round, and the number of strips."""
    strips = workers * (args.strips if secs > 0 else 20 * args.strips)
    processes = min(args.processes, workers)
    counts = [workers // processes + (at < workers % processes) for at in range(processes)]
    crew = [started([os.path.join(args.bin, "pretender"), "--redis", url, "--name", f"waiting-{at}", "--mode",
                     "wait" if secs > 0 else "good", "--secs", str(secs), "--count", str(count)])
            for at, count in enumerate(counts)]
    try:
        render = [os.path.join(args.bin, "submitter"), "render", "--backend", "cpu", "--quiet", "--json", "--re", "-0.75",
                  "--im", "0.1", "--zoom", "20", "--size", f"64x{strips}", "--strip-rows", "1", "--iterations", "50",
                  "--redis", url, "-o", os.path.join(folder, "x.npy")]
        elapsed = []
        for _ in range(args.rounds):
            begun = time.perf_counter()
            done = subprocess.run(render, check=True, stdout=subprocess.PIPE, text=True)
            elapsed.append(time.perf_counter() - begun)
            report = json.loads(done.stdout)
            assert report["strips"] == strips and report["redelivered"] == 0, report
        return elapsed, strips
    finally:
        for process in crew:
            process.send_signal(signal.SIGTERM)
        for process in crew:
            process.communicate()


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="1,4,16", help="numbers of workers, with commas")
    parser.add_argument("--secs", default="0.25,0.05,0", help="times of a strip, with commas")
    parser.add_argument("--strips", type=int, default=40, help="strips of each worker; 20 times as many with a time of 0")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=4, help="that the workers are spread over")
    parser.add_argument("--bin", default=os.path.join(here, "..", "..", "target", "release"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        server = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                                   "--appendonly", "no", "--dir", folder], stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        try:
            print("workers  strip time    strips   elapsed  efficiency  overhead per strip   strips/s")
            for workers in map(int, args.workers.split(",")):
                for secs in map(float, args.secs.split(",")):
                    elapsed, strips = measure(args, f"redis://127.0.0.1:{port}", workers, secs, folder)
                    took = statistics.median(elapsed)
                    efficiency = f"{strips * secs / workers / took:10.3f}" if secs > 0 else " " * 10
                    overhead = (workers * took - strips * secs) / strips
                    print(f"{workers:7} {secs:9.3f} s {strips:9} {took:7.2f} s  {efficiency} {1e3 * overhead:16.2f} ms "
                          f"{strips / took:10.1f}", flush=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
