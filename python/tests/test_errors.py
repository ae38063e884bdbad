"""What goes wrong is one line, the same that the program says."""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from conftest import submitter

import mandelfarm

PLACE = {"re": "-0.75", "im": "0.1", "zoom": "20"}


@pytest.mark.parametrize(
    "view",
    [
        {"re": "-0.75", "zoom": "20"},
        {"re": "-0.75", "im": "0.1"},
        {"zoom": "20"},
        {**PLACE, "xmin": "-2"},
        {**PLACE, "zoom": "0"},
        {**PLACE, "zoom": "-5"},
        {**PLACE, "size": (0, 5)},
        {**PLACE, "size": (200_000, 5)},
        {**PLACE, "iterations": 0},
        {**PLACE, "escape_radius": -1},
        {"density": 0},
        {"xmin": 1, "xmax": -1},
        {**PLACE, "colours": {"equalise": True, "colour_range": (1, 2)}},
        {**PLACE, "colours": {"samples": 4}, "grid": "linspace"},
        {**PLACE, "colours": "no-such-palette"},
        {**PLACE, "colours": "red 5%, notacolour"},
        {**PLACE, "workers": 0},
        {"location": "/nowhere/place.toml"},
        {**PLACE, "location": "/nowhere/place.toml"},
    ],
    ids=str,
)
def test_the_same_line(tmp_path: Path, view: dict[str, object]) -> None:
    line: list[object] = []
    for name, value in view.items():
        options = {"palette": value} if isinstance(value, str) and name == "colours" else {name: value}
        options = value if isinstance(value, dict) else options
        for option, given in options.items():
            line.append(f"--{option.replace('_', '-')}")
            if option == "size":
                line.append(f"{given[0]}x{given[1]}")
            elif isinstance(given, tuple):
                line += given
            elif given is not True:
                line.append(given)
    said = submitter("render", "-q", "--no-journal", *line, "-o", tmp_path / "x.png", fails=True).stderr.decode()
    lines = [text for text in said.splitlines() if not text.startswith("submitter: warning")]
    colours = view.pop("colours", None)
    with pytest.raises(mandelfarm.UsageError) as raised:
        mandelfarm.render(**view, colours=colours)
    assert isinstance(raised.value, ValueError)
    if any(words in said for words in ("invalid value", "cannot be used with", "required arguments")):
        # What the command line refuses while it is read, in its parser's words.
        assert "\n" not in str(raised.value)
    else:
        assert lines == [f"submitter: {raised.value}"]


def test_names_that_there_are_not() -> None:
    with pytest.raises(TypeError, match=r"render\(\) got an unexpected keyword argument 'zom'. Did you mean 'zoom'\?"):
        mandelfarm.render(zom=3)
    with pytest.raises(mandelfarm.UsageError, match="there is no 'pallete': did you mean 'palette'"):
        mandelfarm.render(colours={"pallete": "dusk"})
    with pytest.raises(mandelfarm.UsageError, match="measures: unknown variant `smoth`"):
        mandelfarm.render(measures="smoth")
    with pytest.raises(mandelfarm.UsageError, match="measures: none is named"):
        mandelfarm.render(measures=[])
    with pytest.raises(mandelfarm.UsageError, match="backend: "):
        mandelfarm.render(backend="tpu")
    with pytest.raises(TypeError):
        mandelfarm.render(**PLACE, iterations=object())


@pytest.mark.parametrize(
    "view",
    [
        {"iterations": "many"},
        {"iterations": -5},
        {"escape_radius": float("nan")},
        {"z0": complex("inf")},
        {"formula": "burnig-ship"},
        {"julia": complex("nan")},
        {"julia": ("-0.8", "one")},
        {"rotate": "half"},
        {"size": (5, 5, 5)},
        {"size": "five"},
        {"grid": "hexagons"},
        {"colours": {"depth": 12}},
        {"colours": {"period": "long"}},
        {"colours": {"colour_range": (1,)}},
    ],
    ids=str,
)
def test_values_that_are_none(view: dict[str, object]) -> None:
    with pytest.raises(mandelfarm.UsageError) as raised:
        mandelfarm.render(**PLACE, **view)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 300


def test_counts_of_every_kind() -> None:
    expected = mandelfarm.render(**PLACE, size=(16, 9), iterations=2000)
    for count in ("2000", "2e3", 2e3, np.int64(2000), np.float64(2000)):
        assert np.array_equal(mandelfarm.render(**PLACE, size=(16, 9), iterations=count), expected)
    with pytest.raises(TypeError):
        mandelfarm.render(**PLACE, iterations=1.5)


def test_a_disk_that_is_not_there() -> None:
    with pytest.raises(mandelfarm.Error) as raised:
        mandelfarm.render_file("/nowhere/x.png", **PLACE, size=(16, 9))
    said = submitter(
        "render", "-q", "--no-journal", "--re", "-0.75", "--im", "0.1", "--zoom", "20", "--size", "16x9", "-o", "/nowhere/x.png", fails=True
    )
    assert said.stderr.decode() == f"submitter: {raised.value}\n"


def test_the_environment_of_a_farm_is_not_for_pictures_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_REDIS", "redis://example.invalid")
    assert mandelfarm.render(**PLACE, size=(16, 9)).shape == (9, 16)


def _render_in_child(queue: "multiprocessing.Queue[str]") -> None:
    try:
        queue.put(str(mandelfarm.render(**PLACE, size=(16, 9)).shape))
    except mandelfarm.Error as error:
        queue.put(str(error))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize(("how", "says"), [("spawn", "(9, 16)"), ("fork", "was forked from one that had computed")])
def test_other_processes(how: str, says: str) -> None:
    mandelfarm.render(**PLACE, size=(16, 9))
    context = multiprocessing.get_context(how)
    queue = context.Queue()
    child = context.Process(target=_render_in_child, args=(queue,))
    child.start()
    assert says in queue.get(timeout=60)
    child.join(60)
    assert child.exitcode == 0
