"""What the documents say of one REST call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.errors import SeanceError
from server.protocol import inbound
from server.protocol.answers import Answer

Errors = tuple[type[SeanceError], ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: what it takes, what it answers, how it may fail.

    `secured` calls want a bearer token when the server requires authentication.
    """

    method: str
    path: str
    name: str
    tag: str
    summary: str
    answers: tuple[Answer, ...]
    description: str = ""
    query: type[inbound.CommandSchema[Any]] | None = None
    body: type[inbound.CommandSchema[Any]] | None = None
    body_example: Mapping[str, object] | None = None
    body_required: bool = True
    headers: tuple[str, ...] = ()
    errors: Errors = ()
    secured: bool = False
