#!/usr/bin/env python3
"""Time a render through Redis on loopback with one worker against the same render in process, in turns.

    redis_overhead.py [--density 2048] [--rounds 7] [--iterations 1000] [--unix] [--bin DIR]

Starts a private redis-server and one farm-worker, takes both down again, and prints the ratio of the medians.
Standard library only.
"""

import argparse
import os
import socket
import statistics
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--density", default="2048")
    parser.add_argument("--iterations", default="1000")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--unix", action="store_true", help="a unix socket instead of loopback")
    parser.add_argument("--bin", default=os.path.join(here, "..", "..", "target", "release"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sock, port = os.path.join(folder, "redis.sock"), free_port()
        url = f"unix://{sock}" if args.unix else f"redis://127.0.0.1:{port}"
        server = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", sock,
                                   "--save", "", "--appendonly", "no", "--dir", folder], stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        worker = subprocess.Popen([os.path.join(args.bin, "farm-worker"), "--redis", url, "--backend", "cpu"],
                                  stderr=subprocess.DEVNULL)
        time.sleep(1)
        try:
            render = [os.path.join(args.bin, "submitter"), "render", "--backend", "cpu", "--density", args.density,
                      "--iterations", args.iterations, "--quiet", "-o", os.path.join(folder, "x.png")]

            def timed(command):
                started = time.perf_counter()
                subprocess.run(command, check=True)
                return time.perf_counter() - started

            times = {"in process": [], "through Redis": []}
            for round_ in range(args.rounds + 1):
                for name, command in (("in process", render), ("through Redis", [*render, "--redis", url])):
                    seconds = timed(command)
                    if round_ > 0:  # the first warms up
                        times[name].append(seconds)
        finally:
            worker.terminate()
            worker.wait()
            server.terminate()
            server.wait()
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    for name, seconds in times.items():
        print(f"{name}: median {medians[name]:.3f} s of {args.rounds}, least {min(seconds):.3f} s")
    print(f"ratio of the medians: {medians['through Redis'] / medians['in process']:.2f}")


if __name__ == "__main__":
    main()
