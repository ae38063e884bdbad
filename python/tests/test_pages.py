"""The blocks of Python in the documentation, run word for word, a page after the other."""

import os
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, RunningFarm

import mandelfarm


def blocks(page: str) -> list[tuple[str, int]]:
    """The page's blocks of Python, and where each begins."""
    found: list[tuple[str, int]] = []
    lines, usage = page.splitlines(), ""
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("<!-- "):
            usage = line.removeprefix("<!-- ").removesuffix(" -->")
        elif line == "```python":
            end = lines.index("```", at)
            assert usage == "run", f"line {at + 1} says nothing of how it is run"
            found.append(("\n".join(lines[at + 1 : end]) + "\n", at + 1))
            at, usage = end, ""
        elif line:
            usage = ""
        at += 1
    return found


def read(page: str, farm: RunningFarm) -> dict[str, object]:
    names: dict[str, object] = {}
    for code, line in blocks((ROOT / page).read_text()):
        code = code.replace("redis://localhost", farm.url)
        # Lines as the page counts them, where one fails.
        exec(compile("\n" * line + code, str(ROOT / page), "exec"), names)
    return names


def test_what_says_nothing_is_refused() -> None:
    assert blocks("<!-- run -->\n\n```python\na\n```\n") == [("a\n", 3)]
    for page in ["```python\na\n```\n", "<!-- run -->\nwords\n```python\na\n```\n", "<!-- runs -->\n```python\na\n```\n"]:
        with pytest.raises(AssertionError, match="says nothing"):
            blocks(page)


def test_python(farm: RunningFarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    names = read("docs/python.md", farm)
    assert np.array_equal(names["distances"], mandelfarm.render(**names["view"], measures="distance"))
    assert np.array_equal(mandelfarm.paint(names["counts"], "magma"), names["pixels"])
    said = capsys.readouterr().out
    assert "zoom 0 is not greater than 0" in said and "frames of (90, 160, 3)" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dive.mp4", "ice.png", "mini.toml", "view.npy", "view.png"]


def test_notebook(farm: RunningFarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names = read("docs/notebook.md", farm)
    assert capsys.readouterr().out.count("workers:") == 4
    here = mandelfarm.stability(-2, 0.5, -1.5, 1.5, 768, 200)
    assert names["result"].shape == (2304, 1920)
    assert names["result"].tobytes() == here.tobytes()


def test_readme(farm: RunningFarm) -> None:
    assert os.path.isfile(ROOT / "python/README.md")
    assert read("python/README.md", farm)["pixels"].shape == (720, 1280, 3)
