"""The calls outside the API: probes for machines, pages and documents for people."""

from typing import Final

from server.moments import iso
from server.protocol import shapes
from server.protocol.answers import Answer
from server.protocol.examples import MOMENT
from server.protocol.operation import Operation


def _health(status: int, summary: str, health: str, database: str) -> Answer:
    example = {"status": health, "database": database, "environment": "development", "timestamp": iso(MOMENT)}
    return Answer(summary, status, shapes.HealthShape, example, enveloped=False)


def _readiness(status: int, summary: str, word: str) -> Answer:
    return Answer(summary, status, shapes.ReadinessShape, {"status": word}, enveloped=False)


def _page(path: str, name: str, summary: str, media_type: str = "text/html") -> Operation:
    answer = Answer("The document.", media_type=media_type, enveloped=False)
    return Operation("GET", path, name, "documents", summary, (answer,))


PROBES: Final = (
    Operation(
        "GET",
        "/health",
        "read_health",
        "health",
        "Tell whether the server and its database are well",
        (
            _health(200, "The database answers.", "healthy", "connected"),
            _health(503, "The database does not answer.", "unhealthy", "disconnected"),
        ),
    ),
    Operation(
        "GET",
        "/health/live",
        "read_liveness",
        "health",
        "Tell that the process turns",
        (_readiness(200, "It does.", "live"),),
    ),
    Operation(
        "GET",
        "/health/ready",
        "read_readiness",
        "health",
        "Tell whether this process should get traffic",
        (_readiness(200, "It should.", "ready"), _readiness(503, "Not now.", "draining")),
        "Not ready while it starts or drains, without its database, or when Redis is configured and a ping "
        "through it does not come back.",
    ),
    Operation(
        "GET",
        "/metrics",
        "read_metrics",
        "health",
        "Read the metrics for Prometheus",
        (Answer("The metrics.", media_type="text/plain", enveloped=False),),
    ),
)

DOCUMENTS: Final = (
    _page("/", "open_room", "Open the room in a browser"),
    _page("/docs", "open_swagger_ui", "Read this document in Swagger UI"),
    _page("/redoc", "open_redoc", "Read this document in ReDoc"),
    _page("/docs/events", "open_event_reference", "Read the reference of the events"),
    _page("/openapi.json", "read_openapi", "Read the OpenAPI document", "application/json"),
    _page("/asyncapi.json", "read_asyncapi", "Read the AsyncAPI document", "application/json"),
)
