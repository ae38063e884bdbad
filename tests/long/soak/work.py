"""What the farm is asked for: jobs of every kind, each of a scene whose files are known from a render without a farm."""

import hashlib
import json
import pathlib
import subprocess
import sys
import threading
import time

# As they are typed. Each is a second of a core or less.
PICTURES = [
    "--re -0.7436 --im 0.1318 --zoom 300 --size 640x360 --iterations 3000 --palette magma",
    "--re -1.250660 --im 0.020120 --zoom 5000 --size 480x270 --iterations 6000 --palette dusk",
    "--re -0.75 --im 0.1 --zoom 20 --size 1280x720 --equalise",
    "--density 150 --palette ice",
    "--re -0.7436438870371587 --im 0.13182590420531197 --zoom 1e11 --size 160x90 --iterations 20000",
    "--re -1.74006238257933990522084416706582563829664172043617186687986242"
    " --im 0.02817533977921104899241152114431950968753907674299060857040130 --zoom 1e50 --size 96x54 --iterations 20000",
    "--formula burning-ship --re -1.76 --im -0.03 --zoom 40 --size 320x180",
    "--julia -0.8 0.156 --re 0 --im 0 --zoom 1 --size 320x180",
]
ENDS = ["png", "npy", "exr"]
SEQUENCE = "--re -0.7436438870371587 --im 0.13182590420531197 --to 64 --size 96x54 --fps 2 --iterations 2000"
# A part of all, of 20.
SHARES = {"still": 9, "sequence": 2, "batch": 2, "page": 4, "python": 3}
# How long one job may take.
LIMIT = 900.0
# What a submitter says that could not begin, and how soon after its start the farm has to have been away for that.
AWAY = ("cannot reach Redis", "no Sentinel answers", "refused the credentials")
AT_ITS_START = 15.0


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Scene:
    """Something to make: a line of the program, and the digests of its files as they are without a farm."""

    def __init__(self, kind, words, names):
        self.kind, self.words, self.names = kind, words, names
        self.expected = {}

    def check(self, folder, where):
        for name, known in self.expected.items():
            path = folder / name
            if not path.is_file():
                return f"{where}: {name} is missing"
            if digest(path) != known:
                return f"{where}: {name} has other bytes than without a farm"
        return None


def scenes(kinds):
    """All scenes of some kinds."""
    made = []
    for number, view in enumerate(PICTURES):
        name = f"{number}.{ENDS[number % len(ENDS)]}"
        if "still" in kinds:
            made.append(Scene("still", ["render", "-q", *view.split(), "-o", name], [name]))
        if "page" in kinds:
            made.append(Scene("page", ["render", "-q", *view.split(), "-o", name], [name]))
        if "python" in kinds and "--" in view:
            made.append(Scene("python", view.split(), [f"{number}.npy"]))
    if "sequence" in kinds:
        made.append(Scene("sequence", ["zoom", "-q", *SEQUENCE.split(), "-o", "f%03d.png"], []))
    if "batch" in kinds:
        made.append(Scene("batch", ["batch", "-q", "jobs.toml"], ["a.png", "b.npy"]))
    for scene in made:
        scene.words += [] if scene.kind in ("batch", "python") else ["--backend", "cpu"]
    return made


def write_batch(folder):
    jobs = []
    for view, name in zip(PICTURES[:2], ("a.png", "b.npy")):
        words = view.split()
        keys = "".join(f'{key[2:]} = "{value}"\n' for key, value in zip(words[::2], words[1::2]))
        jobs.append(f'[[job]]\nbackend = "cpu"\noutput = "{name}"\n{keys}')
    (folder / "jobs.toml").write_text("\n".join(jobs))


def arguments(words):
    """A line of the program as arguments of Python."""
    made, at = {}, 0
    while at < len(words):
        name = words[at][2:]
        if name == "julia":
            made[name], at = (words[at + 1], words[at + 2]), at + 3
        elif name == "equalise" or name == "palette":
            at += 1 if name == "equalise" else 2
        elif name == "size":
            made[name], at = [int(side) for side in words[at + 1].split("x")], at + 2
        else:
            value = words[at + 1]
            made[name], at = (int(value) if name == "iterations" else value), at + 2
    return {**made, "backend": "cpu"}


# Reads a line of JSON for each picture, and answers by one. Without an address it computes them itself. Asked for "held" it says
# how many MiB are allocated: what the C library keeps of its arenas grows for a hundred pictures, and is in use by nobody.
PYTHON = r"""
import ctypes, json, os, re, sys, tempfile
import numpy as np
import mandelfarm
farm = mandelfarm.Farm(sys.argv[1], **json.loads(sys.argv[2])) if len(sys.argv) > 1 else None
def held():
    library = ctypes.CDLL(None)
    library.fopen.restype = ctypes.c_void_p
    with tempfile.NamedTemporaryFile() as file:
        stream = ctypes.c_void_p(library.fopen(os.fsencode(file.name), b"w"))
        library.malloc_info(0, stream)
        library.fclose(stream)
        told = file.read().decode()
    told = told[told.rindex("</heap>"):]
    size = lambda what: int(re.search(f'<{what} size="([0-9]+)"', told)[1])
    free = sum(size(f'total type="{kind}" count="[0-9]+"') for kind in ("fast", "rest"))
    return (size('system type="current"') - free + size('total type="mmap" count="[0-9]+"')) / (1 << 20)

for line in sys.stdin:
    order = json.loads(line)
    if "held" in order:
        print(json.dumps({"held": held()}), flush=True)
        continue
    for name in ("size", "julia"):
        if name in order["view"]:
            order["view"][name] = tuple(order["view"][name])
    try:
        if farm:
            made = farm.submit(**order["view"]).result(progress=False)
        else:
            made = mandelfarm.render(**order["view"], progress=False)
        np.save(order["file"], made)
        print(json.dumps({"done": order["file"]}), flush=True)
    except Exception as error:
        print(json.dumps({"failed": str(error)}), flush=True)
"""


class Notebook:
    """A Python that stays, and submits one picture after another."""

    def __init__(self, python, log, farm=None):
        words = [] if farm is None else [farm[0], json.dumps(farm[1])]
        with open(log, "ab") as said:
            self.process = subprocess.Popen(
                [python, "-c", PYTHON, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
            )
        self.turn = threading.Lock()

    def _ask(self, order):
        with self.turn:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        return json.loads(answer) if answer else {"failed": "Python has ended"}

    def make(self, scene, folder):
        order = {"view": arguments(scene.words), "file": str(folder / scene.names[0])}
        return self._ask(order).get("failed")

    def held(self):
        """MiB that are allocated."""
        return self._ask({"held": True})["held"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


class Job(threading.Thread):
    """One job, to its end; a job that could not begin because the farm was away is begun again."""

    def __init__(self, soak, number, scene):
        super().__init__(name=f"job {number}", daemon=True)
        self.soak, self.number, self.scene = soak, number, scene
        self.wrong = None
        self.again = 0

    def run(self):
        try:
            self.wrong = self._run()
        except Exception as error:
            self.wrong = f"job {self.number} ({self.scene.kind}): {type(error).__name__}: {error}"

    def _run(self):
        where = f"job {self.number} ({self.scene.kind})"
        folder = self.soak.folder / f"job-{self.number}"
        folder.mkdir()
        if self.scene.kind == "page":
            return self._page(where)
        end = time.monotonic() + LIMIT
        while True:
            began = time.monotonic()
            failed = self._attempt(folder)
            if failed is None:
                return self.scene.check(folder, where)
            is_away = any(words in failed for words in AWAY)
            if not (is_away and self.soak.was_away(began, began + AT_ITS_START)) or time.monotonic() > end:
                return f"{where}: {failed}"
            self.again += 1
            time.sleep(1)

    def _attempt(self, folder):
        if self.scene.kind == "python":
            return self.soak.notebook.make(self.scene, folder)
        if self.scene.kind == "batch":
            write_batch(folder)
        return self.soak.submitter([*self.scene.words, *self.soak.journal(folder, self.scene)], folder)

    def _page(self, where):
        name = f"{self.number}-{self.scene.names[0]}"
        words = [name if word == self.scene.names[0] else word for word in self.scene.words]
        words = [word for word in words if word not in ("--backend", "cpu")]
        job = self.soak.page.submit(words)
        self.soak.page.wait(job, LIMIT)
        known = Scene("page", [], [])
        known.expected = {name: next(iter(self.scene.expected.values()))}
        return known.check(self.soak.page.folder, where)


def learn(scenes, folder, run, python):
    """Makes everything once without a farm."""
    folder.mkdir()
    notebook = Notebook(python, folder / "python.log") if python else None
    for number, scene in enumerate(scenes):
        place = folder / f"known-{number}"
        place.mkdir()
        if scene.kind == "batch":
            write_batch(place)
        failed = notebook.make(scene, place) if scene.kind == "python" else run(scene.words, place)
        if failed is not None:
            sys.exit(f"soak: without a farm: {failed}")
        names = scene.names or sorted(path.name for path in place.glob("f*.png"))
        assert names, f"{scene.words} makes no files"
        scene.expected = {name: digest(place / name) for name in names}
    if notebook:
        notebook.close()


def drawn(scenes, count, dice):
    """So many scenes: kinds by their shares, which everything has at least once."""
    kinds = sorted({scene.kind for scene in scenes}, key=list(SHARES).index)
    weights = [SHARES[kind] for kind in kinds]
    order = [*kinds, *dice.choices(kinds, weights, k=count - len(kinds))]
    dice.shuffle(order)
    return [dice.choice([scene for scene in scenes if scene.kind == kind]) for kind in order]
