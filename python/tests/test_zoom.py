"""Sequences: the same frames as the program's, one after the other or in files."""

import contextlib
import gc
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import submitter, until

import mandelfarm

WAY = {"re": "-0.7436438870371587", "im": "0.13182590420531197", "to": "4096", "iterations": 2000, "backend": "cpu"}
SIZE = (96, 54)


def words(*more: object) -> list[object]:
    line: list[object] = ["--size", "96x54", "--fps", "4", "--palette", "dusk", *more]
    for name, value in WAY.items():
        line += [f"--{name}", value]
    return line


def test_frames() -> None:
    raw = submitter("zoom", "-q", *words(), "-o", "-").stdout
    expected = np.frombuffer(raw, np.uint8).reshape(-1, 54, 96, 3)
    with mandelfarm.zoom(**WAY, size=SIZE, fps=4, colours="dusk") as frames:
        assert len(frames) == len(expected)
        got = list(frames)
    assert np.array_equal(np.stack(got), expected)
    assert not np.array_equal(got[0], got[-1]), "control"
    assert list(frames) == []


def test_deep_frames() -> None:
    raw = submitter("zoom", "-q", *words("--preview", "--depth", "16"), "-o", "-").stdout
    with mandelfarm.zoom(**WAY, size=SIZE, fps=4, preview=True, colours={"palette": "dusk", "depth": 16}) as frames:
        got = np.stack(list(frames))
    assert got.dtype == np.uint16
    assert got.astype(">u2").tobytes() == raw


def test_files(tmp_path: Path) -> None:
    for name in ["py", "sh"]:
        (tmp_path / name).mkdir()
    report = mandelfarm.zoom(tmp_path / "py/%03d.png", **WAY, start=64, size=SIZE, fps="4", colours="dusk")
    submitter("zoom", "-q", *words("--from", 64), "-o", tmp_path / "sh/%03d.png")
    names = sorted(path.name for path in (tmp_path / "sh").glob("*.png"))
    assert len(names) == report["frames"] > 5
    for name in names:
        assert (tmp_path / "py" / name).read_bytes() == (tmp_path / "sh" / name).read_bytes(), name
    mandelfarm.zoom(tmp_path / "a.mp4", **WAY, start=64, size=SIZE, fps=4, colours="dusk", encoder_options={"crf": "30"})
    submitter("zoom", "-q", *words("--from", 64, "--encoder-option", "crf=30"), "-o", tmp_path / "b.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_location_is_the_end(tmp_path: Path) -> None:
    place = mandelfarm.locate(re=WAY["re"], im=WAY["im"], zoom="1e4")
    place.save(tmp_path / "place.toml")
    more = {"start": place.zoom / 16, "size": SIZE, "fps": 2, "backend": "cpu"}
    with mandelfarm.zoom(location=place, **more) as by_object, mandelfarm.zoom(location=tmp_path / "place.toml", **more) as by_file:
        assert np.array_equal(np.stack(list(by_object)), np.stack(list(by_file)))


def test_frames_that_nobody_wants_are_not_made() -> None:
    def threads() -> int:
        found = 0
        for task in Path("/proc/self/task").iterdir():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                found += (task / "comm").read_text().strip() == "frames"
        return found

    with mandelfarm.zoom(**WAY, size=SIZE, fps=100) as frames:
        next(frames)
    assert list(frames) == []
    until("the thread that makes frames has ended", lambda: threads() == 0)
    frames = mandelfarm.zoom(**WAY, size=SIZE, fps=100)
    next(frames)
    assert threads() == 1, "control"
    del frames
    gc.collect()
    until("the thread that makes frames has ended", lambda: threads() == 0)
    assert threading.active_count() == 1


def test_what_cannot_be() -> None:
    for wrong, line in [({"to": 0}, "zoom 0 is not greater than 0"), ({"start": 1e9}, "--from .* is over --to")]:
        with mandelfarm.zoom(**{**WAY, **wrong}, size=SIZE) as frames, pytest.raises(mandelfarm.UsageError, match=line):
            next(frames)
        with mandelfarm.zoom(**{**WAY, **wrong}, size=SIZE) as frames, pytest.raises(mandelfarm.UsageError, match=line):
            len(frames)
    with pytest.raises(TypeError, match="unexpected keyword argument 'form'"):
        mandelfarm.zoom(**WAY, form=3)
