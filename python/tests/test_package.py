"""The package as it is installed."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import mandelfarm


def test_one_wheel_for_every_python() -> None:
    about = importlib.metadata.distribution("mandelfarm")
    tags = (about.read_text("WHEEL") or "").splitlines()
    assert any(tag.startswith("Tag: cp311-abi3-") for tag in tags), tags
    assert about.metadata["License-Expression"] == "MIT OR Apache-2.0"
    requires = about.requires or []
    assert [name for name in requires if "extra" not in name] == ["numpy>=1.26"]
    files = {Path(str(path)).name for path in about.files or []}
    assert {"py.typed", "_native.pyi", "_native.abi3.so", "LICENSE-MIT", "LICENSE-APACHE"} <= files, files


def test_names_are_documented() -> None:
    for name in mandelfarm.__all__:
        thing = getattr(mandelfarm, name)
        if callable(thing) and getattr(thing, "__module__", "").startswith("mandelfarm"):
            assert thing.__doc__, name


def test_nothing_is_printed_or_left_when_it_ends() -> None:
    code = "import mandelfarm; mandelfarm.render(size=(16, 9), re=0, im=0, zoom=1); mandelfarm.zoom(re=0, im=1, to=1e3, size=(64, 36)); print('end')"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_the_example_of_its_own_documentation() -> None:
    lines = re.findall(r">>> (.*)", mandelfarm.__doc__ or "")
    assert len(lines) >= 3
    names: dict[str, object] = {}
    for line in lines:
        exec(line, names)
    assert names["pixels"].shape == (180, 320, 3)
