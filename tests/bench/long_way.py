#!/usr/bin/env python3
"""What a long way to Redis costs: strips of a known length through a relay that delays what passes it.

    long_way.py [--delays 0,10,50,100] [--strips 200] [--secs 0.055] [--rounds 1] [--bin DIR]
    long_way.py --rate 125000 --width 8192      the same on a thin way, in bytes a second

Starts a private redis-server, a relay and one worker behind it whose device only waits, so that what is measured is the
farm and no machine. The submitter is on the long way, too, unless --near. Prints for each delay (there and back, in
milliseconds) the share of the worker's time in which its device was at work, from the submitter's start to its end.
Standard library only.
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import statistics
import subprocess
import tempfile
import time


class Relay:
    """A relay to a unix socket, in a process of its own: half of the delay in each direction, and a rate of each."""

    def __init__(self, path, delay, rate):
        self.path, self.delay, self.rate = path, delay / 2, rate
        # The way has one rate for all connections.
        self.free_at = {"up": 0.0, "down": 0.0}
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            self.process = multiprocessing.get_context("fork").Process(target=self._run, args=(listener,), daemon=True)
            self.process.start()

    def stop(self):
        self.process.kill()
        self.process.join()

    def _run(self, listener):
        asyncio.run(self._serve(listener))

    async def _serve(self, listener):
        async with await asyncio.start_server(self._connection, sock=listener) as server:
            await server.serve_forever()

    async def _connection(self, reader, writer):
        other_reader, other_writer = await asyncio.open_unix_connection(self.path)
        await asyncio.gather(self._carry(reader, other_writer, "up"), self._carry(other_reader, writer, "down"))

    async def _carry(self, reader, writer, way):
        # So much is on its way at most, as a socket's buffer has it: whoever sends more waits.
        pieces = asyncio.Queue(maxsize=16)

        async def take():
            clock = asyncio.get_running_loop().time
            data = True
            while data:
                try:
                    data = await reader.read(16384)
                except ConnectionError:
                    data = b""
                sent = clock()
                if self.rate:
                    sent = self.free_at[way] = max(sent, self.free_at[way]) + len(data) / self.rate
                await pieces.put((sent + self.delay, data))

        async def give():
            clock = asyncio.get_running_loop().time
            while True:
                due, data = await pieces.get()
                await asyncio.sleep(max(0.0, due - clock()))
                if not data or writer.is_closing():
                    break
                writer.write(data)
            writer.close()

        await asyncio.gather(take(), give())


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delays", default="0,10,50,100", help="round trips in milliseconds")
    parser.add_argument("--strips", type=int, default=200)
    parser.add_argument("--secs", type=float, default=0.055, help="what the device takes for a strip")
    parser.add_argument("--width", type=int, default=64, help="pixels of a strip, which is one row")
    parser.add_argument("--rate", type=float, default=0.0, help="bytes a second in each direction; 0: any")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--near", action="store_true", help="the submitter is beside the server")
    parser.add_argument("--bin", default=os.path.join(here, "..", "..", "target", "release"))
    args = parser.parse_args()
    tool = lambda name: os.path.join(args.bin, name)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "redis.sock")
        server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no",
                                   "--dir", folder], stdout=subprocess.DEVNULL)
        try:
            while not os.path.exists(path):
                time.sleep(0.01)
            print("| round trip | share of the device's time | one strip, start to end |\n|---|---|---|")
            for delay in map(float, args.delays.split(",")):
                relay = Relay(path, delay / 1000, args.rate)
                far = f"redis://127.0.0.1:{relay.port}"
                worker = subprocess.Popen([tool("pretender"), "--redis", far, "--name", "w", "--mode", "wait", "--secs",
                                           str(args.secs), "--log", "error"], stdout=subprocess.DEVNULL)

                def render(strips):
                    began = time.perf_counter()
                    subprocess.run([tool("submitter"), "render", "--re", "-0.5", "--im", "0", "--zoom", "1", "--size",
                                    f"{args.width}x{strips}", "--strip-rows", "1", "--iterations", "50", "-q", "--no-journal",
                                    "--measure", "iterations", "--backend", "cpu", "--redis",
                                    f"unix://{path}" if args.near else far, "-o", os.path.join(folder, "x.npy")], check=True)
                    return time.perf_counter() - began

                try:
                    # The worker is there, and the server knows the scripts.
                    render(1)
                    one = statistics.median(render(1) for _ in range(3))
                    share = statistics.median(args.strips * args.secs / render(args.strips) for _ in range(args.rounds))
                    print(f"| {delay:.0f} ms | {share:.2f} | {one:.2f} s |", flush=True)
                finally:
                    worker.terminate()
                    worker.wait()
                    relay.stop()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
