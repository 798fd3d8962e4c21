"""Types of JSON Schema in words, as HTML."""

from html import escape
from typing import Any

Json = dict[str, Any]


def type_of(described: Json) -> str:
    """Return the type and bounds of a property; an object that has a name is a link to it."""
    if "$ref" in described:
        name = described["$ref"].rpartition("/")[2]
        return f'<a href="#object.{name}">{name}</a>'
    if "enum" in described:
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in described["enum"]) + _default(described)
    return _plain(described) + _default(described)


def _plain(described: Json) -> str:
    match described.get("type"):
        case "array":
            return f"list of {type_of(described['items'])}"
        case "string" if described.get("format") == "date-time":
            return "string, ISO 8601"
        case "string":
            return _bounded("string", described.get("minLength"), described.get("maxLength"), " characters")
        case "integer" | "number" as kind:
            return _bounded(kind, described.get("minimum"), described.get("maximum"), "")
        case str(kind):
            return kind
    return "anything"


def _bounded(kind: str, least: int | None, most: int | None, unit: str) -> str:
    if most is not None:
        return f"{kind}, {least or 0:,} to {most:,}{unit}"
    return kind if least is None else f"{kind}, {least:,} or more"


def _default(described: Json) -> str:
    return f", default <code>{escape(str(described['default']))}</code>" if "default" in described else ""
