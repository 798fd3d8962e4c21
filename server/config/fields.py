"""The types of settings: each refuses what it cannot be, without repeating it."""

from collections.abc import Collection
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from marshmallow import ValidationError, validate
from marshmallow import fields as f

_PORTS: Final = {"http": 80, "https": 443}


def text(name: str, about: str, most: int = 1_000) -> f.String:
    """Return the field of a text."""
    return f.String(data_key=name, validate=validate.Length(0, most, error="Is too long."), metadata={"help": about})


def choice(name: str, about: str, *choices: str) -> f.String:
    """Return the field of one of several words."""
    return f.String(
        data_key=name,
        validate=validate.OneOf(choices, error="Must be one of: {choices}."),
        metadata={"help": about},
    )


def url(name: str, about: str, schemes: Collection[str], example: str) -> f.String:
    """Return the field of a URL of certain schemes."""

    def check(value: str) -> None:
        parts = _parts(value)
        if parts is None or parts.scheme not in schemes:
            raise ValidationError(f"Must be a URL such as {example}.")

    return f.String(data_key=name, validate=check, metadata={"help": about})


def _parts(value: str) -> SplitResult | None:
    """Return the parts of a URL, None for one that has no such parts."""
    try:
        parts = urlsplit(value)
        is_one_host = "," not in parts.netloc
        is_odd = is_one_host and parts.port == 0
    except ValueError:
        return None
    return None if is_odd else parts


def whole(name: str, about: str, least: int, most: int) -> f.Integer:
    """Return the field of an integer within bounds."""
    bounds = validate.Range(least, most, error="Must be from {min} to {max}.")
    return f.Integer(data_key=name, validate=bounds, metadata={"help": about})


def number(name: str, about: str, least: float, most: float) -> f.Float:
    """Return the field of a number within bounds."""
    bounds = validate.Range(least, most, error="Must be from {min} to {max}.")
    return f.Float(data_key=name, validate=bounds, metadata={"help": about})


def seconds(name: str, about: str, least: float, most: float) -> f.Float:
    """Return the field of a duration."""
    bounds = validate.Range(least, most, error="Must be from {min} to {max} seconds.")
    return f.Float(data_key=name, validate=bounds, metadata={"help": about})


def flag(name: str, about: str) -> "Flag":
    """Return the field of a switch."""
    return Flag(data_key=name, metadata={"help": about})


class Flag(f.Boolean):
    """`on`/`off`, and what people write instead."""

    truthy = {"on", "true", "yes", "1"}  # noqa: RUF012 - marshmallow's own class attribute
    falsy = {"off", "false", "no", "0"}  # noqa: RUF012 - the same

    def _deserialize(self, value: object, attr: str | None, data: Any, **kwargs: Any) -> bool:
        return super()._deserialize(str(value).strip().lower(), attr, data, **kwargs)


class Origins(f.Field[tuple[str, ...]]):
    """Origins between commas: scheme, host, no path."""

    def _deserialize(self, value: object, *_: Any, **__: Any) -> tuple[str, ...]:
        return tuple(_origin(part.strip().rstrip("/")) for part in str(value).split(",") if part.strip())


def _origin(said: str) -> str:
    """Return an origin as browsers write it: in lower case, and without the port that goes without saying."""
    parts = _parts(said.lower())
    is_odd = parts is None or parts.path or parts.query or parts.fragment or parts.username is not None
    if parts is None or is_odd or parts.scheme not in _PORTS or not parts.hostname or "*" in parts.netloc:
        raise ValidationError("Must be origins such as https://example.org between commas.")
    return f"{parts.scheme}://{parts.netloc.removesuffix(f':{_PORTS[parts.scheme]}')}"


class Networks(f.Field[tuple[str, ...]]):
    """Addresses or networks between commas."""

    def _deserialize(self, value: object, *_: Any, **__: Any) -> tuple[str, ...]:
        networks = tuple(part.strip() for part in str(value).split(",") if part.strip())
        try:
            for network in networks:
                ip_network(network, strict=False)
        except ValueError:
            raise ValidationError("Must be addresses or networks such as 10.0.0.0/8 between commas.") from None
        return networks
