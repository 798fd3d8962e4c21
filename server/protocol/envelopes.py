"""The envelope around every JSON answer, by REST and in acknowledgements."""

from collections.abc import Mapping
from typing import Any

from server.domain import stamp
from server.errors import SeanceError


def success(data: object, **meta: Any) -> dict[str, Any]:
    """Return `{success: true, data, meta}`; `meta` holds the time and the cursors given."""
    return {"success": True, "data": data, "meta": _meta(meta)}


def failure(error: SeanceError) -> dict[str, Any]:
    """Return `{success: false, error, meta}`."""
    return {"success": False, "error": error.as_dict(), "meta": _meta({})}


def _meta(more: Mapping[str, Any]) -> dict[str, Any]:
    return {"timestamp": stamp(), **more}
