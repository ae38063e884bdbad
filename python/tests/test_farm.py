"""Pictures on a farm: a real Redis, and a real worker."""

import time

import numpy as np
import pytest
from conftest import RunningFarm, submitter, until

import mandelfarm

VIEW = {"re": "-0.7436438870371587", "im": "0.13182590420531197", "zoom": "2000", "iterations": 3000, "size": (192, 108)}
DEEP = {
    "re": "-1.7400623825793399052208441670658256382966417204361718668798624184611829",
    "im": "0.0281753397792110489924115211443195096875390767429906085704013095958801",
    "zoom": "1e50",
    "iterations": 20000,
    "size": (192, 108),
}
# Minutes of work: boundary points with a high limit.
LONG = {"re": "-0.7436438870371587", "im": "0.13182590420531197", "zoom": "1e9", "iterations": 50_000_000, "size": (3000, 2000)}


@pytest.mark.parametrize("view", [VIEW, DEEP], ids=["plain", "deep"])
def test_the_same_as_here(farm: RunningFarm, tmp_path, view: dict[str, object]) -> None:
    here = mandelfarm.render(**view, measures=["smooth", "distance"], colours="dusk", backend="cpu")
    job = mandelfarm.Farm(farm.url).submit(**view, measures=["smooth", "distance"], colours="dusk", backend="cpu")
    there = job.result(120)
    assert job.done() and job.progress() is None
    assert there is job.result()
    for name, values in here.items():
        assert np.array_equal(there[name], values), name
    line = [word for name in ("re", "im", "zoom", "iterations") for word in (f"--{name}", view[name])]
    line += ["--size", "192x108", "--backend", "cpu", "--no-journal", "--redis", farm.url]
    submitter("render", "-q", *line, "--measure", "distance", "-o", tmp_path / "x.npy")
    assert np.array_equal(there["distance"], np.load(tmp_path / "x.npy"))
    assert farm.jobs().strip() in (b"[]", b""), "nothing is left"


def test_several_at_a_time_and_how_far_they_are(farm: RunningFarm) -> None:
    jobs = [mandelfarm.Farm(farm.url).submit(**{**VIEW, "zoom": zoom}, measures="iterations") for zoom in (10, 20, 30)]
    seen: list[mandelfarm.Stage] = []
    arrays = [job.result(progress=seen.append) for job in jobs]
    for zoom, array in zip((10, 20, 30), arrays, strict=True):
        assert np.array_equal(array, mandelfarm.render(**{**VIEW, "zoom": zoom}, measures="iterations"))


def test_a_job_is_watched_and_cancelled(farm: RunningFarm) -> None:
    job = mandelfarm.Farm(farm.url).submit(**LONG)
    until("it has begun", lambda: job.progress() is not None and job.progress().name == "picture")
    stage = job.progress()
    assert stage.unit == "strips" and stage.done <= stage.total > 1
    assert len(__import__("json").loads(farm.jobs())) == 1
    with pytest.raises(TimeoutError):
        job.result(timeout=0.2)
    assert not job.done()
    began = time.monotonic()
    job.cancel()
    assert time.monotonic() - began < 10
    assert job.done()
    with pytest.raises(mandelfarm.Stopped, match="interrupted"):
        job.result()
    assert __import__("json").loads(farm.jobs()) == []


def test_jobs_have_a_tag_and_an_owner(farm: RunningFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_OWNER", "benoit")
    # Nobody has the tag: they wait.
    jobs = [mandelfarm.Farm(farm.url, on="gpu-box", owner=owner).submit(**VIEW) for owner in ("ada", None)]

    def owners() -> list[str]:
        return sorted(job["report"]["owner"] for job in __import__("json").loads(farm.jobs()))

    until("both are told of", lambda: owners() == ["ada", "benoit"])
    assert all(job.progress().done == 0 for job in jobs)
    for job in jobs:
        job.cancel()
    tagged = mandelfarm.Farm(farm.url, on="tagged").submit(**VIEW).result(120)
    assert np.array_equal(tagged, mandelfarm.render(**VIEW))
    with pytest.raises(mandelfarm.UsageError, match="--on: a tag is of"):
        mandelfarm.Farm(farm.url, on="gpu,box").submit(**VIEW).result(60)
    with pytest.raises(mandelfarm.UsageError, match="--owner: a name is one line"):
        mandelfarm.Farm(farm.url, owner="a:b").submit(**VIEW).result(60)


@pytest.mark.parametrize("url", ["unix:///nowhere/redis.sock", "nonsense", "redis://example.invalid"])
def test_a_farm_that_is_not_there(url: str) -> None:
    with pytest.raises(mandelfarm.Error) as raised:
        mandelfarm.Farm(url).submit(**VIEW).result(60)
    line = [word for name in ("re", "im", "zoom") for word in (f"--{name}", VIEW[name])]
    said = submitter("render", "-q", *line, "--no-journal", "--redis", url, "-o", "/dev/null/x.npy", fails=True)
    if url == "nonsense":
        assert isinstance(raised.value, mandelfarm.UsageError)
    assert "\n" not in str(raised.value)
    assert url.split("//")[-1] in str(raised.value) or url in said.stderr.decode()


def test_ways_in(farm: RunningFarm, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(mandelfarm.UsageError, match=f"--farm-key-file {missing}"):
        mandelfarm.Farm(farm.url, farm_key_file=missing).submit(**VIEW).result(60)
    monkeypatch.setenv("FARM_KEY", "short")
    with pytest.raises(mandelfarm.UsageError, match="FARM_KEY: "):
        mandelfarm.Farm(farm.url).submit(**VIEW).result(60)
