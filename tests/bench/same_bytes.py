#!/usr/bin/env python3
"""Runs the commands of README.md and docs with two builds, and compares every byte that they write.

    python3 tests/bench/same_bytes.py OLD NEW [--full]

OLD and NEW are folders with `submitter` and `farm-worker`. Each page is one run of its commands, in a folder of its own for
each build: files that a command reads are those of the commands before it. Pictures are made smaller, so that it takes
minutes (--full leaves them as they are). A farm's address becomes that of a Redis on a socket with a worker of the same
build. What cannot run here is listed, with the reason. Needs python 3.9, redis-server and ffmpeg.
"""

import argparse
import hashlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
COMMANDS = ("render", "zoom", "colour", "locate", "batch", "plan", "info")
# A file beside the pages that examples name, and the place that they call RE and IM.
PLACES = {
    "place.toml": 're = "-0.7436438870371587"\nim = "0.13182590420531197"\nzoom = "3e4"\niterations = 2000\n',
    "place.kfr": "Re: -0.7436438870371587\r\nIm: 0.13182590420531197\r\nZoom: 3E4\r\nIterations: 2000\r\n",
    "place.f3.toml": '[location]\nreal = "-0.75"\nimag = "0.1"\nzoom = "50"\n',
}
NAMED = {
    "RE": "-0.7436438870371587045",
    "IM": "0.1318259042053119704",
    "ZOOM": "1e20",
    "N": "3000",
}
LIMIT = 600  # seconds for one command


def commands_of(page):
    """The commands of a page's shell blocks, in order, as lists of words."""
    text = page.read_text()
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.M | re.S)
    blocks += ["\n".join(re.findall(r"^    (submitter .*[^\\])$", text, re.M))]
    for block in blocks:
        block = block.replace("\\\n", " ")
        for line in block.splitlines():
            for part in line.split("&&"):
                words = shlex.split(part, comments=True)
                if not words or not words[0].endswith("submitter"):
                    continue
                for stop in ("|", ">", "<"):
                    if stop in words:
                        words = words[: words.index(stop)]
                yield words[1:]


def why_not(words):
    """Why a command is left out; None where it runs."""
    text = " ".join(words)
    if not words or words[0] not in COMMANDS:
        return "writes no picture"
    if "rediss://" in text:
        return "wants TLS and users"
    if "--world" in text or "$" in text:
        return "wants a world or a shell"
    if words[0] == "batch":
        return None if "gallery" in text or "colours" in text else "its file is an example"
    if "--to 1e50" in text:
        return "takes minutes"
    return None


def smaller(words):
    """The same at a size that takes a moment."""
    out, at = [], 0
    while at < len(words):
        word = words[at]
        value = words[at + 1] if at + 1 < len(words) else ""
        if word == "--density" and float(value) > 200:
            out += [word, "96" if float(value) < 10000 else "600"]
            at += 2
        elif word == "--size":
            width, height = (int(side) for side in value.split("x"))
            side = lambda length: max(2, length // 8 // 2 * 2)
            out += [word, f"{side(width)}x{side(height)}"]
            at += 2
        elif word == "--fps":
            out += [word, "6"]
            at += 2
        else:
            out.append(word)
            at += 1
    if words[0] == "zoom" and "--fps" not in words:
        out += ["--fps", "6"]
    if words[0] == "zoom" and "--size" not in words and "--reuse" not in words:
        out += ["--size", "128x72"]
    if words[0] == "render" and not {"--density", "--size", "--location"} & set(words):
        out += ["--size", "160x90"] if "--re" in words else ["--density", "96"]
    return out


class Build:
    """One build's programs, and a farm of them."""

    def __init__(self, programs, place):
        self.submitter = str(Path(programs).resolve() / "submitter")
        self.socket = place / "redis.sock"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self.processes = [subprocess.Popen(server, cwd=place, **quiet)]
        while not self.socket.exists():
            time.sleep(0.05)
        worker = [str(Path(programs).resolve() / "farm-worker"), "--redis", f"unix://{self.socket}"]
        self.processes.append(subprocess.Popen(worker + ["--backend", "cpu"], **quiet))

    def run(self, words, folder):
        words = [word.replace("redis://HOST", f"unix://{self.socket}") for word in words]
        words = [word.replace("redis://localhost", f"unix://{self.socket}") for word in words]
        words = [word for word in words if word != "--insecure"]
        return subprocess.run(
            [self.submitter, *words], cwd=folder, capture_output=True, timeout=LIMIT, check=False
        )

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()


def digests(folder):
    """Every file's digest, by its path in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def told(output):
    """What a command says, but for times and rates."""
    return re.sub(rb"[0-9.]+ (s|Mpx/s)\b", b"", output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--full", action="store_true")
    args = parser.parse_args()
    pages = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]
    ran, files, left_out, wrong = 0, 0, {}, []
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        builds = []
        for name, programs in (("old", args.old), ("new", args.new)):
            (place / name).mkdir()
            builds.append(Build(programs, place / name))
        try:
            for page in pages:
                folders = []
                for name in ("old", "new"):
                    # README.md is at the top and among the docs.
                    folder = place / name / "-".join(page.relative_to(TOP).with_suffix("").parts)
                    folder.mkdir()
                    for file, text in PLACES.items():
                        (folder / file).write_text(text)
                    for batch in ("gallery/gallery.toml", "colour/colours.toml"):
                        shutil.copy(TOP / "docs" / batch, folder)
                    (folder / "docs").symlink_to(TOP / "docs")
                    folders.append(folder)
                for words in commands_of(page):
                    reason = why_not(words)
                    if reason:
                        left_out.setdefault(reason, []).append(" ".join(words))
                        continue
                    words = [NAMED.get(word, word) for word in words]
                    words = words if args.full else smaller(words)
                    # What is left of an earlier command is no reason to stop.
                    if words[0] in ("render", "zoom"):
                        words.append("-q")
                    done = [build.run(words, folder) for build, folder in zip(builds, folders)]
                    ran += 1
                    one, other = done
                    line = f"{page.name}: submitter {' '.join(words)}"
                    if (one.returncode, told(one.stdout)) != (other.returncode, told(other.stdout)):
                        said = other.stderr.decode(errors="replace").strip()
                        wrong.append(f"{line}: {one.returncode} : {other.returncode}: {said}")
                    elif one.returncode:
                        said = one.stderr.decode(errors="replace").strip()
                        print(f"fails in both: {line}: {said}")
                before, after = (digests(folder) for folder in folders)
                files += len(before)
                for name in sorted(set(before) | set(after)):
                    if before.get(name) != after.get(name):
                        wrong.append(f"{page.name}: {name} differs")
        finally:
            for build in builds:
                build.end()
    for reason, lines in sorted(left_out.items()):
        print(f"left out, {reason}: {len(lines)}")
    print(f"{ran} commands, {files} files, {len(wrong)} differences")
    print("\n".join(wrong))
    return 1 if wrong or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
