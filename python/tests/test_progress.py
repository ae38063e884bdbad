"""Progress: as a function hears it, and as tqdm shows it."""

import subprocess
import sys

import pytest

import mandelfarm

VIEW = {"re": "-0.7436438870371587", "im": "0.13182590420531197", "zoom": 2e9, "iterations": 20000, "size": (2560, 1440)}


def test_a_function_hears_of_it() -> None:
    seen: list[mandelfarm.Stage] = []
    mandelfarm.render(**VIEW, backend="cpu", progress=seen.append)
    strips = [stage for stage in seen if stage.name == "picture"]
    assert strips, seen
    assert all(stage.unit == "strips" and 0 <= stage.done <= stage.total for stage in strips)
    assert [stage.done for stage in strips] == sorted(stage.done for stage in strips)
    assert strips[-1].total > 1


def test_what_it_raises_ends_the_work() -> None:
    def refuse(stage: mandelfarm.Stage) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        mandelfarm.render(**{**VIEW, "iterations": 50_000_000}, progress=refuse)


CODE = f"import mandelfarm; mandelfarm.render(**{VIEW!r}, backend='cpu', progress=PROGRESS); print('done')"


@pytest.mark.parametrize(
    ("before", "progress", "shows"),
    [
        ("", "True", True),
        ("", "None", False),
        ("", "False", False),
        ("import sys; sys.modules['tqdm'] = None\n", "True", False),
        ("import sys; sys.stderr.isatty = lambda: True\n", "None", True),
    ],
    ids=["asked for", "no terminal", "not wanted", "no tqdm", "a terminal"],
)
def test_a_bar(before: str, progress: str, shows: bool) -> None:
    code = before + CODE.replace("PROGRESS", progress)
    if "isatty" in before:
        # At once, and not after half a second: the picture may be faster.
        code = code.replace("import mandelfarm;", "import mandelfarm; mandelfarm._tasks.SOON = 0;")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "done\n", done
    assert ("picture" in done.stderr and "strips" in done.stderr) == shows, done.stderr
