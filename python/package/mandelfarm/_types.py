"""What the extension module takes beside requests: by what means something is made."""

from pathlib import Path
from typing import TypedDict


class Wanted(TypedDict):
    """What is made of a picture: files, measures for arrays, pixels."""

    outputs: list[Path]
    kept: list[str]
    paints: bool
    location: Path | None
    measure: str | None


class Place(TypedDict):
    """Where and by what something is computed."""

    url: str | None
    user: str | None
    password_file: Path | None
    tls_ca: Path | None
    tls_cert: Path | None
    tls_key: Path | None
    farm_key_file: Path | None
    insecure: bool
    on: str | None
    owner: str | None
    workers: int | None
    backend: str
    environment: dict[str, str]


class Target(TypedDict):
    """How a sequence is made, and where it goes."""

    output: Path | None
    location: Path | None
    ffmpeg: Path | None
    encoder: str | None
    encoder_options: list[tuple[str, str]]
    keep: Path | None
    reuse: Path | None
