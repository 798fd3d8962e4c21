"""JSON as the wire has it: strict on the way in, never NaN on the way out."""

import json
import math
from typing import Never, cast

import orjson


def loads(text: str | bytes) -> object:
    """Return the value of a JSON text.

    Raises `ValueError` for anything RFC 8259 does not allow, for numbers beyond a double, and for nesting
    deeper than 1,024. An escaped lone surrogate is legal JSON, and JavaScript sends it when a string is cut
    inside an emoji: it is let through, so that validation can name the field instead of the parser closing
    the connection.
    """
    try:
        return cast("object", orjson.loads(text))
    except orjson.JSONDecodeError:
        if _escaped_surrogate(text):
            return _loads_leniently(text)
        raise


def dumps(value: object) -> bytes:
    """Return compact UTF-8 JSON; raises `TypeError` for what JSON cannot say."""
    return orjson.dumps(value)


def _escaped_surrogate(text: str | bytes) -> bool:
    lowered = text.lower()
    return "\\ud" in lowered if isinstance(lowered, str) else b"\\ud" in lowered


def _loads_leniently(text: str | bytes) -> object:
    try:
        return cast("object", json.loads(text, parse_constant=_refuse, parse_float=_finite))
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("number beyond a double")
    return number
