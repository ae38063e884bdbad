"""The notebook in docs/examples, run from its first cell to its last."""

import base64
import io
import os
from pathlib import Path

import nbformat
import numpy as np
from conftest import ROOT
from nbclient import NotebookClient
from PIL import Image

NOTEBOOK = ROOT / "docs/examples/mandelfarm.ipynb"


def test_every_cell_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code"), "it is kept without outputs"
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"], outputs
    # Bars on a slow machine, and no warning.
    words = [output.text for output in outputs if output.get("name") == "stderr"]
    assert all(text.startswith("\r") for text in words), words
    said = "".join(output.text for output in outputs if output.output_type == "stream")
    assert "(360, 640) float32" in said
    assert "period 998, a cardioid" in said
    pictures = [base64.b64decode(output.data["image/png"]) for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 6
    # Where somebody wants to look at them.
    folder = os.environ.get("MANDELFARM_PICTURES")
    for at, picture in enumerate(pictures):
        pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
        assert pixels.shape[0] > 100 and pixels.shape[1] > 200
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100, f"picture {at}"
        if folder is not None:
            (Path(folder) / f"notebook-{at}.png").write_bytes(picture)
