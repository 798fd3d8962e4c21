"""The references in docs/ name what the server knows, and nothing it does not."""

from __future__ import annotations

import re
from pathlib import Path

from server.errors import catalogue
from server.protocol.asyncapi import close_codes
from server.protocol.events import EVENTS, INBOUND
from server.protocol.operations import OPERATIONS

DOCS = Path(__file__).resolve().parents[2] / "docs"
REST = (DOCS / "rest.md").read_text(encoding="utf-8")
EVENTS_PAGE = (DOCS / "events.md").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    found = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in found[2:]]


def test_every_call_has_its_row_and_no_other_does() -> None:
    named = {call for row in rows(section(REST, "Calls")) for call in re.findall(r"`([^`]+)`", row[0])}
    assert named == {f"{operation.method} {operation.path}" for operation in OPERATIONS}


def test_every_error_has_its_row_as_the_catalogue_has_it() -> None:
    expected = [
        [f"`{error.code}`", str(error.status), "yes" if error.retryable else "no", (error.__doc__ or "").strip()]
        for error in catalogue()
    ]
    assert rows(section(REST, "Errors")) == expected


def test_every_event_the_server_sends_has_its_row() -> None:
    assert [row[0] for row in rows(section(EVENTS_PAGE, "The server sends"))] == [f"`{name}`" for name in EVENTS]


def test_every_event_clients_send_has_its_row() -> None:
    assert [row[0] for row in rows(section(EVENTS_PAGE, "Clients send"))] == [f"`{name}`" for name in INBOUND]


def test_the_row_of_an_event_names_each_of_its_fields() -> None:
    for row, event in zip(rows(section(EVENTS_PAGE, "The server sends")), EVENTS.values(), strict=True):
        if event.name not in {"session_joined", "session_updated"}:  # told by reference
            assert all(f"`{field}`" in row[1] for field in event.shape().fields), event.name
    joined = rows(section(EVENTS_PAGE, "Clients send"))[0][2]
    assert all(f"`{field}`" in joined for field in EVENTS["session_joined"].shape().fields)


def test_every_close_code_has_its_row() -> None:
    expected = [[str(code), meaning] for code, meaning in close_codes().items()]
    assert rows(section(EVENTS_PAGE, "Close codes of a raw WebSocket")) == expected
