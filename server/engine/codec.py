"""JSON as the wire allows it: no NaN, no infinity, bounded depth."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import orjson

MAX_DEPTH = 1_000  # orjson's own bound is 1,024

_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        _refuse_constant(text[:20])
    return value


def loads(text: str) -> Any:
    """The value of a JSON text; ValueError for anything else, NaN and infinities included.

    A lone surrogate escape is let through: JavaScript sends them, and what may be stored is
    the application's to say.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if "\\u" not in text or text.count("[") + text.count("{") > MAX_DEPTH:
            raise
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def dumps(value: object) -> bytes:
    """Compact JSON in UTF-8; ValueError for NaN and infinities, TypeError for what JSON lacks."""
    try:
        text = orjson.dumps(value, option=_PLAIN)
    except TypeError:
        return _dumps_slowly(value)
    # orjson writes NaN as null, which would hide it: look again when there is a null.
    return _dumps_slowly(value) if b"null" in text else text


def _dumps_slowly(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
