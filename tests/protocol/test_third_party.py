"""Files made by others are what THIRD_PARTY.md says they are."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

WEB = Path(__file__).resolve().parents[2] / "server" / "web"
TEXT = (WEB / "THIRD_PARTY.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(?P<path>docs/[^`]+)` \| `sha256-(?P<digest>[^`]+)` \|$", re.MULTILINE)


def digest(path: Path) -> str:
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def test_every_vendored_file_is_unmodified() -> None:
    listed = {row["path"]: row["digest"] for row in ROW.finditer(TEXT)}
    vendored = {path.relative_to(WEB).as_posix(): digest(path) for path in (WEB / "docs").glob("*/*")}
    assert listed == vendored


def test_every_vendored_package_has_its_licence_and_the_integrity_of_its_archive() -> None:
    for folder in (path for path in (WEB / "docs").iterdir() if path.is_dir()):
        name, _, version = folder.name.rpartition("-")
        entry = re.search(
            rf"^## {name}(-dist)? {re.escape(version)}\n(?P<text>.*?)^## ", TEXT, re.DOTALL | re.MULTILINE
        )
        assert entry is not None
        assert re.search(r"`sha512-[A-Za-z0-9+/]{86}==`", entry["text"])
        assert f"`docs/{folder.name}/LICENSE`" in entry["text"]
        assert (folder / "LICENSE").stat().st_size > 0
