"""The same bytes as the program."""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import array, rendered, submitter
from PIL import Image

import mandelfarm

PLAIN = {"re": "-0.7436438870371587", "im": "0.13182590420531197", "zoom": "2000"}
DEEP = {
    "re": "-1.7400623825793399052208441670658256382966417204361718668798624184611829",
    "im": "0.0281753397792110489924115211443195096875390767429906085704013095958801",
    "zoom": "1e50",
}
MINIBROT = {"re": "-0.743643887037159171732756819237233281", "im": "0.131825904205312653203118596058538237", "zoom": "2.282E+15"}
SIZE = (192, 108)
# Iterations that let the minibrot's surroundings escape.
LIMIT = 20960


def words(view: dict[str, object], iterations: int = LIMIT) -> list[object]:
    line: list[object] = ["--size", "192x108", "--iterations", iterations, "--backend", "cpu"]
    for name, value in view.items():
        line += [f"--{name.replace('_', '-')}", value]
    return line


@pytest.mark.parametrize("measure", ["iterations", "smooth", "distance", "fraction", "phase", "direction"])
@pytest.mark.parametrize("view", [PLAIN, DEEP, MINIBROT], ids=["plain", "1e50", "minibrot"])
def test_measures(tmp_path: Path, view: dict[str, object], measure: str) -> None:
    got = mandelfarm.render(**view, size=SIZE, iterations=LIMIT, measures=measure, backend="cpu")
    expected = array(tmp_path, *words(view), "--measure", measure)
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape) == (expected.dtype, (108, 192))
    assert got.tobytes() == expected.tobytes()
    assert len(np.unique(got)) > 10
    other = mandelfarm.render(**{**view, "zoom": "1900"}, size=SIZE, iterations=LIMIT, measures=measure, backend="cpu")
    assert got.tobytes() != other.tobytes(), "control"


def test_several_at_once() -> None:
    names = ["distance", "iterations", "smooth"]
    got = mandelfarm.render(**PLAIN, size=SIZE, measures=names, colours="dusk")
    assert list(got) == [*names, "pixels"]
    for name in names:
        assert np.array_equal(got[name], mandelfarm.render(**PLAIN, size=SIZE, measures=name))
    assert np.array_equal(got["pixels"], mandelfarm.render(**PLAIN, size=SIZE, colours="dusk"))
    assert list(mandelfarm.render(**PLAIN, size=SIZE, measures=["smooth"])) == ["smooth"]


def test_long_counts(tmp_path: Path) -> None:
    view = {"re": "-2", "im": "1.5", "zoom": "3"}
    got = mandelfarm.render(**view, size=SIZE, iterations=5_000_000_000, measures="iterations", backend="cpu")
    expected = array(tmp_path, *words(view, 5_000_000_000), "--measure", "iterations")
    assert got.dtype == np.uint64
    assert got.tobytes() == expected.tobytes()


def test_turned_and_settled(tmp_path: Path) -> None:
    more = {"rotate": 33, "stretch": 20, "stretch_angle": 10, "counts": "settled", "escape_radius": 4}
    with pytest.warns(mandelfarm.MandelfarmWarning, match="settled counts are computed by processors alone") as said:
        got = mandelfarm.render(**PLAIN, **more, size=SIZE, iterations=LIMIT, measures="iterations")
    assert said[0].filename == __file__
    assert got.tobytes() == array(tmp_path, *words({**PLAIN, **more}), "--measure", "iterations").tobytes()


def test_stability(tmp_path: Path) -> None:
    bounds = ["--xmin", -2, "--xmax", 0.5, "--ymin", -1.5, "--ymax", 1.5, "--density", 64, "--iterations", 100]
    line = [word if not str(word).startswith("--") else word for word in bounds]
    expected = array(tmp_path, "--grid", "linspace", "--measure", "stability", *line)
    got = mandelfarm.stability(-2, 0.5, -1.5, 1.5, 64, 100)
    assert (got.dtype, got.shape) == (np.float64, (192, 160))
    assert got.tobytes() == expected.tobytes()
    # numpy's own, where the orbit stays.
    c = np.linspace(-2, 0.5, 160) + 1j * np.linspace(-1.5, 1.5, 192)[:, np.newaxis]
    z = np.zeros_like(c)
    with np.errstate(all="ignore"):
        for _ in range(100):
            z = z * z + c
        stays = np.abs(z) <= 2
    assert np.mean(np.abs(np.abs(z)[stays] - got[stays]) < 1e-6) > 0.999
    assert np.isnan(got[~stays]).all()
    started = mandelfarm.stability(-2, 0.5, -1.5, 1.5, 64, 100, 0.1 + 0.2j)
    z0 = array(tmp_path, "--grid", "linspace", "--measure", "stability", *line, "--z0", "0.1", "0.2")
    assert started.tobytes() == z0.tobytes() != got.tobytes()


def test_formulas(tmp_path: Path) -> None:
    line: list[object] = ["--density", 40, "--iterations", 200, "--backend", "cpu", "--measure", "iterations"]
    view = {"density": 40, "iterations": 200, "backend": "cpu", "measures": "iterations"}
    ship = mandelfarm.render(**view, formula="burning-ship")
    assert ship.tobytes() == array(tmp_path, *line, "--formula", "burning-ship").tobytes()
    julia = mandelfarm.render(**view, julia=("-0.8", "0.156"))
    assert julia.tobytes() == array(tmp_path, *line, "--julia", "-0.8", "0.156").tobytes()
    assert ship.shape != julia.shape
    dendrite = mandelfarm.render(**view, julia=1j, formula="sqr add")
    assert dendrite.tobytes() == array(tmp_path, *line, "--julia", "0", "1").tobytes()


COLOURS = [
    {},
    {"palette": "dusk"},
    {"palette": "magma", "equalise": True},
    {"palette": "classic", "period": 40, "offset": 0.25, "inside": "#102030"},
    {"palette": "gold", "light": "45,2", "samples": 4},
    {"colour": "distance", "palette": "ice", "samples": 4},
    {"colour": "bands", "cycles": 3.0, "dither": True},
    {"palette": "#000, red 30%, #fff", "blend": "oklab", "colour_range": (5, 500), "mapping": "log"},
]


def options(colours: dict[str, object]) -> list[object]:
    line: list[object] = []
    for name, value in colours.items():
        line.append(f"--{name.replace('_', '-')}")
        if isinstance(value, tuple):
            line += value
        elif value is not True:
            line.append(value)
    return line


@pytest.mark.parametrize("colours", COLOURS, ids=lambda colours: "-".join(colours) or "usual")
@pytest.mark.parametrize("view", [PLAIN, MINIBROT], ids=["plain", "minibrot"])
def test_pixels(tmp_path: Path, view: dict[str, object], colours: dict[str, object]) -> None:
    expected = np.asarray(Image.open(rendered(tmp_path, "x.png", *words(view), *options(colours))))
    got = mandelfarm.render(**view, size=SIZE, iterations=LIMIT, backend="cpu", colours=colours)
    assert got.dtype == np.uint8
    assert np.array_equal(got, expected)


def test_deep_pixels(tmp_path: Path) -> None:
    for colours in [{"palette": "dusk", "depth": 16}, {"palette": "gold", "depth": 16, "samples": 4}]:
        expected = deep_png(rendered(tmp_path, "x.png", *words(PLAIN), *options(colours)))
        got = mandelfarm.render(**PLAIN, size=SIZE, iterations=LIMIT, backend="cpu", colours=colours)
        assert got.dtype == np.uint16
        assert np.array_equal(got, expected)


def deep_png(path: Path) -> np.ndarray:
    """Red, green and blue of 16 bits each, which Pillow reads as 8."""
    data, at, packed, size = path.read_bytes(), 8, b"", (0, 0)
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
            assert body[8:10] == b"\x10\x02", "16 bits of red, green and blue"
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    width, height = size
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 6 * width)
    above, rows = np.zeros(6 * width, np.uint8), []
    for line in lines:
        row = bytearray(line[1:].tobytes())
        for i in range(len(row)):
            left, up, corner = (row[i - 6] if i >= 6 else 0), int(above[i]), (int(above[i - 6]) if i >= 6 else 0)
            guess = left + up - corner
            near = min((left, up, corner), key=lambda value: abs(guess - value))
            row[i] = (row[i] + (0, left, up, (left + up) // 2, near)[line[0]]) & 255
        above = np.frombuffer(bytes(row), np.uint8)
        rows.append(above)
    return np.stack(rows).reshape(height, width, 6).view(">u2").astype(np.uint16)


def test_files(tmp_path: Path) -> None:
    names = ["x.png", "x.exr", "x.npy", "x.toml", "x.tiff"]
    report = mandelfarm.render_file(
        [tmp_path / f"py-{name}" for name in names], **PLAIN, size=SIZE, iterations=LIMIT, backend="cpu", colours="dusk", measure="distance"
    )
    submitter(
        "render", "-q", "--no-journal", *words(PLAIN), "--palette", "dusk", "--measure", "distance",
        *(word for name in names for word in ("-o", tmp_path / name)),
    )  # fmt: skip
    assert (report["width"], report["height"]) == SIZE
    for name in names:
        assert (tmp_path / f"py-{name}").read_bytes() == (tmp_path / name).read_bytes(), name
    # A place, and what it says, comes back from a file of any kind.
    again = mandelfarm.render(location=tmp_path / "x.png", backend="cpu", colours={})
    assert np.array_equal(again, np.asarray(Image.open(tmp_path / "x.png")))
    only = mandelfarm.render_file(tmp_path / "place.toml", **PLAIN, size=SIZE, iterations=LIMIT)
    assert only == {"outputs": [str(tmp_path / "place.toml")]}


def test_paint(tmp_path: Path) -> None:
    for colours in [{}, {"palette": "magma", "equalise": True}, {"palette": "gold", "light": "45"}, {"cycles": 4.0}]:
        data = rendered(tmp_path, "x.npy", *words(PLAIN))
        submitter("colour", "-q", data, *options(colours), "-o", tmp_path / "y.png")
        expected = np.asarray(Image.open(tmp_path / "y.png"))
        values = np.load(data)
        assert np.array_equal(mandelfarm.paint(values, colours), expected), colours
        assert np.array_equal(mandelfarm.paint(values.astype(np.float64), colours), expected), colours
        assert np.array_equal(mandelfarm.paint(np.asfortranarray(values), colours), expected), colours
        report = mandelfarm.paint(data, colours, output=tmp_path / "z.png")
        assert report["width"] == SIZE[0]
        assert (tmp_path / "z.png").read_bytes() == (tmp_path / "y.png").read_bytes()
    # Relief light on distances takes two measures; .exr has both.
    data = rendered(tmp_path, "x.exr", *words(PLAIN), "--measure", "distance")
    colours = {"colour": "distance", "light": "45"}
    submitter("colour", "-q", data, *options(colours), "-o", tmp_path / "y.png")
    values = mandelfarm.render(**PLAIN, size=SIZE, iterations=LIMIT, backend="cpu", measures=["smooth", "distance"])
    pixels = mandelfarm.paint(values, colours)
    assert np.mean(np.abs(pixels.astype(int) - np.asarray(Image.open(tmp_path / "y.png"))) > 1) < 0.01
    with pytest.raises(mandelfarm.UsageError, match="the picture holds no smooth"):
        mandelfarm.paint({"distance": values["distance"]}, colours)


def test_what_cannot_be_painted() -> None:
    for wrong in [np.zeros(5), np.zeros((2, 2, 2)), np.zeros((0, 4))]:
        with pytest.raises(mandelfarm.UsageError):
            mandelfarm.paint(wrong)
    with pytest.raises(mandelfarm.UsageError, match="no picture of"):
        mandelfarm.paint({"smooth": np.zeros((4, 4)), "distance": np.zeros((4, 5))})
    with pytest.raises(mandelfarm.UsageError, match="nothing is painted from stability"):
        mandelfarm.paint({"stability": np.zeros((4, 4))})


def test_locate_and_plan(tmp_path: Path) -> None:
    view = {"re": "-0.7436438870371587", "im": "0.13182590420531197", "zoom": "1e11"}
    line = ["--re", view["re"], "--im", view["im"], "--zoom", view["zoom"]]
    place = mandelfarm.locate(**view)
    expected = submitter("locate", *line).stdout.decode()
    assert place.toml == expected
    assert (place.period, place.shape) == (998, "cardioid")
    place.save(tmp_path / "a.toml")
    place.save(tmp_path / "a.kfr")
    submitter("locate", *line, "-o", tmp_path / "b.kfr")
    assert (tmp_path / "a.toml").read_text() == expected
    assert (tmp_path / "a.kfr").read_bytes() == (tmp_path / "b.kfr").read_bytes()
    by_file = mandelfarm.render(location=tmp_path / "a.toml", size=SIZE, measures="iterations")
    assert np.array_equal(by_file, mandelfarm.render(location=place, size=SIZE, measures="iterations"))
    upright = mandelfarm.locate(location=place, zoom="1e11", upright=True)
    assert upright.rotate == pytest.approx(place.turned) and upright.period == 998

    told = mandelfarm.plan(**view, size=SIZE, iterations=LIMIT, backend="cpu")
    said = json.loads(submitter("plan", "--no-journal", *words(view), "--json", "-o", "x.npy").stdout)
    said["outputs"] = []
    assert told == said
