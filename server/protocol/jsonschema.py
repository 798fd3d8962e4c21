"""JSON Schema from the marshmallow schemas: one component each, shared by OpenAPI and AsyncAPI."""

from collections.abc import Mapping
from dataclasses import MISSING, is_dataclass
from dataclasses import fields as fields_of
from enum import StrEnum
from typing import Any, Final, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema
from marshmallow import fields as f

from server.domain import SPIRIT_USER_ID
from server.protocol import fields
from server.protocol.inbound import CommandSchema
from server.protocol.shapes import Shape

Json = dict[str, Any]

_RULES: Final = (fields.storable, fields.one_line, fields.not_blank)


class SchemaBook:
    """Hands out references to schemas and keeps what they refer to.

    What clients send is closed: an unknown property is an error. What the server sends is open: a client
    has to pass over properties it does not know, so that some may be added.
    """

    def __init__(self) -> None:
        self._schemas: dict[str, type[Schema]] = {}
        self._plugin = MarshmallowPlugin(schema_name_resolver=self._name)
        # The specification object is only the plugin's notebook here: title and version never show.
        self._spec = APISpec("", "", openapi_version="3.1.0", plugins=[self._plugin])
        self._converter.add_attribute_function(_enum_type)
        self._converter.add_attribute_function(_text_rules)

    @property
    def _converter(self) -> Any:
        return self._plugin.converter

    def ref(self, schema: type[Schema]) -> Json:
        """Return `{"$ref": …}` to the component of a schema."""
        return cast("Json", self._converter.resolve_nested_schema(schema))

    def parameters(self, schema: type[Schema]) -> list[Json]:
        """Return the query parameters that a schema reads."""
        found: list[Json] = self._converter.schema2parameters(schema, location="query")
        defaults = _defaults(schema)
        for parameter in found:
            if parameter["name"] in defaults:
                parameter["schema"]["default"] = defaults[parameter["name"]]
        return found

    def components(self) -> dict[str, Json]:
        """Return every schema referred to so far, by name."""
        found: dict[str, Json] = self._spec.to_dict().get("components", {}).get("schemas", {})
        return {name: _finish(self._schemas[name], found[name]) for name in sorted(found)}

    def _name(self, schema: Any) -> str:
        cls: type[Schema] = schema if isinstance(schema, type) else type(schema)
        name = component_name(cls)
        self._schemas[name] = cls
        return name


def component_name(schema: type[Schema]) -> str:
    """Return the name of a schema in documents: that of its class without the ending."""
    return schema.__name__.removesuffix("Schema").removesuffix("Shape")


def _finish(schema: type[Schema], component: Json) -> Json:
    """Add what apispec does not see: the docstring, the command's defaults, openness of what goes out."""
    finished: Json = {"description": (schema.__doc__ or "").strip(), **component}
    if issubclass(schema, Shape):
        finished.pop("additionalProperties", None)
    defaults = _defaults(schema)
    finished["properties"] = {
        name: _property(described, name, defaults) for name, described in component.get("properties", {}).items()
    }
    if "required" in component:
        finished["required"] = [name for name in finished["properties"] if name in component["required"]]
    return finished


def _property(described: Json, name: str, defaults: Mapping[str, Any]) -> Json:
    shown = {key: value for key, value in described.items() if value != ""}
    return {**shown, "default": defaults[name]} if name in defaults else shown


def _defaults(schema: type[Schema]) -> dict[str, Any]:
    command = schema.command if issubclass(schema, CommandSchema) else None
    if not is_dataclass(command):
        return {}
    plain = (bool, int, str)
    found = {field.name: field.default for field in fields_of(command) if field.default is not MISSING}
    return {name: _bare(default) for name, default in found.items() if isinstance(default, plain)}


def _bare(default: Any) -> Any:
    return default.value if isinstance(default, StrEnum) else default


# What a text may not have, and what it must have, as ECMA-262 writes it.
_NUL: Final = r"\u0000"
_CONTROL: Final = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_PATTERNS: Final = {
    (fields.storable,): f"^[^{_NUL}]*$",
    (fields.storable, fields.not_blank): rf"^[^{_NUL}]*[^\s{_NUL}][^{_NUL}]*$",
    (fields.one_line,): f"^[^{_CONTROL}]*$",
    (fields.one_line, fields.not_blank): rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$",
}


def _text_rules(_: object, field: f.Field[Any], **__: object) -> Json:
    """Say as patterns what our own validators refuse."""
    rules: Json = {}
    if pattern := _PATTERNS.get(tuple(rule for rule in _RULES if rule in field.validators)):
        rules["pattern"] = pattern
    if fields.not_the_spirit in field.validators:
        rules["not"] = {"const": SPIRIT_USER_ID}
    return rules


def _enum_type(_: object, field: f.Field[Any], **__: object) -> Json:
    """Say that an enumeration by value is a string, and leave out what its validators refuse."""
    if not isinstance(field, f.Enum):
        return {}
    refused = {value for validator in field.validators for value in getattr(validator, "iterable", ())}
    return {"type": "string", "enum": [member.value for member in field.enum if member not in refused]}
