"""The composition root: every object of a process is made here, once; nothing is opened yet."""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from server.auth import Tokens
from server.cluster.alone import Alone
from server.config import Config
from server.core.access import Access
from server.core.housekeeping import Housekeeping
from server.core.limits import Limits
from server.core.messages import Messages
from server.core.ports import Backplane
from server.core.presence import Presence
from server.core.sessions import Sessions
from server.core.turns import Cast, Turns
from server.domain import FRAME_BYTES, ProcessId
from server.engine import Limits as EngineLimits
from server.engine import Recovery, SocketServer
from server.engine.addresses import Addresses
from server.metrics import Metrics
from server.moments import new_id
from server.realtime.admission import Admission
from server.realtime.broadcast import Rooms
from server.realtime.gateway import SocketIoDoor
from server.realtime.handlers import Core, Handlers
from server.realtime.heads import Heads
from server.realtime.raw import RawDoor
from server.rest.handlers import SessionCalls
from server.rest.health import Health
from server.rest.origins import Origins
from server.rest.pages import add_pages
from server.rest.room_page import add_room_page
from server.spirit.voices import purse_of, voice_of
from server.store.database import Database
from server.store.history import History
from server.store.log import MessageLog
from server.store.seats import Seats
from server.store.sessions import SessionStore
from server.store.spendings import Spendings
from server.store.tokens import TokenUses
from server.store.turns import TurnStore

RECOVERY_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Store:
    """What is kept, and where."""

    database: Database
    message_log: MessageLog
    history: History
    sessions: SessionStore
    seats: Seats
    turns: TurnStore
    token_uses: TokenUses


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one process that have to be started, stopped or kept going."""

    config: Config
    store: Store
    backplane: Backplane
    core: Core
    housekeeping: Housekeeping
    rooms: Rooms
    heads: Heads
    admission: Admission
    sio: SocketServer
    health: Health


def assemble(app: web.Application, config: Config) -> Parts:
    """Return all parts of a process, with their routes added to an application."""
    store = _store(config)
    backplane = _backplane(config)
    rooms = Rooms(backplane, store.history)
    # Also without Redis, for those who start several processes all the same.
    heads = Heads(store.sessions, rooms, lambda: bool(config.redis_url) or store.seats.has_peers)
    store.message_log.on_doubt = heads.doubt
    metrics = Metrics(store.message_log)
    core = _core(config, store, rooms, metrics)
    rooms.on_elsewhere(core.heard_elsewhere)
    admission = Admission(core.access, core.limits, core.presence, core.messages, core.turns, rooms)
    health = Health(config.environment, store.database.ping, backplane.ping, metrics.registry)
    origins = Origins(config.cors_origins)
    _add_rest(app, core, health, origins)
    handlers = Handlers(core, rooms, admission)
    sio = _socket_server(app, config, origins)
    heartbeat = config.ping_interval_seconds, config.ping_timeout_seconds
    raw = RawDoor(handlers, admission, origins.allows_request, Addresses(config.trusted_proxies).of, heartbeat)
    app.add_routes([web.get("/ws/{session_id}", raw.handle)])
    rooms.open(SocketIoDoor(sio, handlers, admission))
    rooms.open(raw)
    return Parts(
        config=config,
        store=store,
        backplane=backplane,
        core=core,
        housekeeping=Housekeeping(
            store.sessions, core.sessions, store.token_uses, config.session_idle_ttl, config.session_retention
        ),
        rooms=rooms,
        heads=heads,
        admission=admission,
        sio=sio,
        health=health,
    )


def _backplane(config: Config) -> Backplane:
    if not config.redis_url:
        return Alone()
    # A tenth of the time to start, for those who need it only.
    from server.cluster.redis_backplane import RedisBackplane  # noqa: PLC0415

    return RedisBackplane(config.redis_url, config.redis_prefix)


def _store(config: Config) -> Store:
    process_id = ProcessId(new_id())
    database = Database.at(config.database_url)
    return Store(
        database=database,
        message_log=MessageLog(database),
        history=History(database),
        sessions=SessionStore(database),
        seats=Seats(database, process_id),
        turns=TurnStore(database, process_id),
        token_uses=TokenUses(database),
    )


def _core(config: Config, store: Store, rooms: Rooms, metrics: Metrics) -> Core:
    messages = Messages(store.message_log, store.history, rooms)
    cast = Cast(voice_of(config), purse_of(config, Spendings(store.database)), metrics, rooms)
    return Core(
        access=Access(Tokens(config.jwt_secret), store.token_uses, required=config.auth_required),
        limits=Limits(enabled=config.rate_limits),
        sessions=Sessions(store.sessions, rooms),
        messages=messages,
        presence=Presence(store.seats, rooms, grace_seconds=config.seat_grace_seconds),
        turns=Turns(cast, store.sessions, store.seats, store.turns, messages),
    )


def _add_rest(app: web.Application, core: Core, health: Health, origins: Origins) -> None:
    calls = SessionCalls(core.access, core.limits, core.sessions, core.messages, core.presence, core.turns)
    origins.guard(app, app.add_routes([*calls.routes(), *health.routes()]))
    add_pages(app)
    add_room_page(app)


def _socket_server(app: web.Application, config: Config, origins: Origins) -> SocketServer:
    sio = SocketServer(
        engine=config.socket_engine,
        limits=_engine_limits(config),
        recovery=Recovery(hashlib.sha256(config.jwt_secret.encode()).digest(), RECOVERY_SECONDS),
        ping_interval=config.ping_interval_seconds,
        ping_timeout=config.ping_timeout_seconds,
        # Our engine knows its own host and asks about the origin alone; the stock one brings the environment.
        cors_allowed_origins=lambda origin, environ=None: origins.allows(origin, environ and environ.get("HTTP_HOST")),
    )
    sio.attach(app)
    return sio


def _engine_limits(config: Config) -> EngineLimits:
    limits = EngineLimits(event_bytes=FRAME_BYTES, trusted_proxies=config.trusted_proxies)
    return limits if config.rate_limits else replace(limits, handshakes_per_second=0)
