"""Every bound the engine keeps, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one server. Zero switches a bound off only where its comment says so."""

    # One event's text; a longer one is reported to `on_oversize`, not parsed.
    event_bytes: int = 65_536
    # One Engine.IO message and one polling body; told to clients as `maxPayload`.
    message_bytes: int = 1_000_000
    # Waiting for one client, the transport's own buffer included; past it the client is cut.
    queued_bytes: int = 1_048_576
    # Packets in one polling body; clients are told its bytes only.
    payload_packets: int = 10_000
    # Events of one client that wait while its earlier ones are handled; reading pauses past it.
    waiting_packets: int = 256
    # Binary attachments of one packet, and their size together.
    attachments: int = 10
    attachment_bytes: int = 1_000_000
    # From the opening of a transport to CONNECT, and from the last namespace left to the next.
    connect_seconds: float = 10.0
    # From a polling POST's head to the end of its body.
    body_seconds: float = 10.0
    # From the opening of an upgrade's WebSocket to its end.
    upgrade_seconds: float = 10.0
    # From our closing of a connection to the end of its transport.
    close_seconds: float = 1.0
    # New transports of one address: a steady rate and a burst; a rate of 0 switches both off.
    handshakes_per_second: float = 20.0
    handshake_burst: int = 200
    # Log lines about one address's misbehaviour; the rest are counted.
    log_lines_per_second: float = 5.0
    # Addresses or networks whose X-Forwarded-For is believed.
    trusted_proxies: tuple[str, ...] = ()
