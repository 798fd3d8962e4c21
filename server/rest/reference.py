"""The reference of the events as a page: rendered from the lists of events and errors, without a script."""

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from marshmallow import Schema

from server.errors import SeanceError, catalogue
from server.protocol.answers import in_order, meaning
from server.protocol.asyncapi import close_codes
from server.protocol.events import INCOMING, OUTGOING, Incoming, Outgoing
from server.protocol.inbound import JoinSchema, RegisterSchema
from server.protocol.jsonschema import SchemaBook, component_name
from server.rest.wording import type_of

Json = dict[str, Any]

SKELETON: Final = Path(__file__).resolve().parent.parent / "web" / "docs" / "events.html"
_CODE: Final = re.compile(r"`([^`]+)`")


def event_reference() -> str:
    """Return the whole page."""
    book = SchemaBook()
    book.ref(JoinSchema)
    book.ref(RegisterSchema)
    for incoming in INCOMING:
        book.ref(incoming.schema)
        if incoming.ack is not None:
            book.ref(incoming.ack)
    for outgoing in OUTGOING:
        book.ref(outgoing.shape)
    components = book.components()
    return Template(SKELETON.read_text(encoding="utf-8")).substitute(
        server_links=_links("server", (event.name for event in OUTGOING)),
        client_links=_links("client", (event.name for event in INCOMING)),
        object_links=_links("object", _shared(components)),
        join_fields=_fields(components, JoinSchema),
        register_fields=_fields(components, RegisterSchema),
        server_events="".join(_outgoing(event, components) for event in OUTGOING),
        client_events="".join(_incoming(event, components) for event in INCOMING),
        objects="".join(_object(name, components[name]) for name in _shared(components)),
        errors="".join(_error(error) for error in catalogue()),
        close_codes="".join(
            f"<dt><code>{code}</code></dt><dd>{prose(text)}</dd>" for code, text in close_codes().items()
        ),
    )


def prose(text: str) -> str:
    """Return a sentence as HTML, with what stands in backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))


def _shared(components: Mapping[str, Json]) -> list[str]:
    """Return the objects that others refer to, in the order of their names."""
    text = json.dumps(components)
    return [name for name in components if f'"#/components/schemas/{name}"' in text]


def _links(kind: str, names: Iterable[str]) -> str:
    return "".join(f'<li><a href="#{kind}.{name}">{name}</a></li>' for name in names)


def _outgoing(event: Outgoing, components: Mapping[str, Json]) -> str:
    note = f"<p>{prose(event.note)}</p>" if event.note else ""
    body = f"<p>{prose(event.summary)}</p>{note}{_fields(components, event.shape)}{_example(event.example.data())}"
    return _section("server", event.name, body)


def _incoming(event: Incoming, components: Mapping[str, Json]) -> str:
    body = f"<p>{prose(event.summary)}</p>"
    if event.example:
        body += _fields(components, event.schema) + _example(event.example)
    if not event.object_required:
        body += f"<p>{'The object' if event.example else 'The object is empty and'} may be left out.</p>"
    body += _acknowledgement(event, components)
    return _section("client", event.name, body)


def _acknowledgement(event: Incoming, components: Mapping[str, Json]) -> str:
    codes = ", ".join(
        f'<a href="#error.{error.code}"><code>{error.code}</code></a>' for error in in_order(event.errors)
    )
    return f"<h4>Acknowledged with</h4>{_acknowledged(event, components)}<p>Or one of {codes}.</p>"


def _acknowledged(event: Incoming, components: Mapping[str, Json]) -> str:
    if event.ack is None:
        return "<p>Nothing: <code>data</code> is null.</p>"
    same = next((outgoing.name for outgoing in OUTGOING if outgoing.shape is event.ack), None)
    if same is not None:
        return f'<p>The object of <a href="#server.{same}"><code>{same}</code></a>.</p>'
    return _fields(components, event.ack) + _example(event.ack_example)


def _object(name: str, component: Json) -> str:
    return _section("object", name, f"<p>{prose(component['description'])}</p>{_properties(component)}")


def _section(kind: str, name: str, body: str) -> str:
    heading = f'<h3><a class="anchor" href="#{kind}.{name}"><code>{name}</code></a></h3>'
    return f'<section class="entry" id="{kind}.{name}">{heading}{body}</section>'


def _fields(components: Mapping[str, Json], schema: type[Schema]) -> str:
    return _properties(components[component_name(schema)])


def _properties(component: Json) -> str:
    required = component.get("required", ())
    rows = (_property(name, found, name in required) for name, found in component["properties"].items())
    return f'<dl class="fields">{"".join(rows)}</dl>'


def _property(name: str, described: Json, required: bool) -> str:
    optional = "" if required else '<span class="optional">optional</span>'
    about = described.get("description", "")
    return (
        f'<div><dt><code>{name}</code> <span class="type">{type_of(described)}</span> {optional}</dt>'
        f"<dd>{prose(about)}</dd></div>"
    )


def _example(value: object) -> str:
    text = escape(json.dumps(value, indent=2, ensure_ascii=False), quote=False)
    return f'<figure><figcaption>Example</figcaption><pre tabindex="0"><code>{text}</code></pre></figure>'


def _error(error: type[SeanceError]) -> str:
    again = ", retryable" if error.retryable else ""
    return (
        f'<div id="error.{error.code}">'
        f'<dt><code>{error.code}</code> <span class="type">{error.status}{again}</span></dt>'
        f"<dd>{prose(meaning(error))}</dd></div>"
    )
