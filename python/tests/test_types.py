"""The types that the package states are those that it has."""

import subprocess
import sys
from pathlib import Path

import mandelfarm

HERE = Path(__file__).parent

USES = '''
from decimal import Decimal
from typing import Any, assert_type

import mandelfarm
import numpy as np
from numpy.typing import NDArray

assert_type(mandelfarm.render(re="-0.75", im=Decimal("0.1"), zoom=20, size=(16, 9)), NDArray[Any])
assert_type(mandelfarm.render(measures="distance"), NDArray[Any])
assert_type(mandelfarm.render(colours="dusk"), NDArray[Any])
assert_type(mandelfarm.render(measures=["smooth", "distance"]), dict[str, NDArray[Any]])
assert_type(mandelfarm.render(measures="smooth", colours={"palette": "dusk"}), dict[str, NDArray[Any]])
assert_type(mandelfarm.stability(-2, 0.5, -1.5, 1.5, 64, 100), NDArray[np.float64])
assert_type(mandelfarm.locate(re="0", im="1", zoom=1).zoom, Decimal)
assert_type(mandelfarm.zoom(re="0", im="1", to=4), mandelfarm.Frames)
assert_type(mandelfarm.zoom("x.mp4", re="0", im="1", to=4), dict[str, Any])
assert_type(mandelfarm.Farm("redis://localhost").submit(zoom=3, re=0, im=0), mandelfarm.Job)
'''

MISUSES = [
    'mandelfarm.render(zom=3)',
    'mandelfarm.render(re=[1])',
    'mandelfarm.render(measures="smoth")',
    'mandelfarm.render(colours={"pallete": "dusk"})',
    'mandelfarm.zoom(re="0", im="1", to=4, fps=[1])',
    'mandelfarm.Farm(3)',
]


def mypy(*words: str) -> str:
    line = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(HERE.parent / "pyproject.toml"), "--cache-dir=/dev/null", *words]
    return subprocess.run(line, capture_output=True, text=True, timeout=300).stdout


def test_the_package_is_strictly_typed() -> None:
    said = mypy("-p", "mandelfarm")
    assert said.startswith("Success: no issues found"), said


def test_calls_have_the_types_that_are_stated(tmp_path: Path) -> None:
    assert (Path(mandelfarm.__file__).parent / "py.typed").is_file()
    (tmp_path / "uses.py").write_text(USES)
    said = mypy(str(tmp_path / "uses.py"))
    assert said.startswith("Success: no issues found"), said
    (tmp_path / "misuses.py").write_text("import mandelfarm\n" + "\n".join(MISUSES) + "\n")
    said = mypy(str(tmp_path / "misuses.py"))
    for at in range(len(MISUSES)):
        assert f"misuses.py:{at + 2}: error" in said, f"{MISUSES[at]}\n{said}"


def test_the_stub_is_what_the_module_has(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "mypy.stubtest", "mandelfarm._native", "--mypy-config-file", str(HERE.parent / "pyproject.toml")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
