"""The command `seance`: parse, configure logs, run."""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from server import VERSION
from server.config import Config, ConfigError
from server.domain import Role
from server.logs import configure_logs

T = TypeVar("T")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="seance")
def main() -> None:
    """Real-time rooms for several people and one spirit."""


@main.command()
@click.option("--host", help="Address to listen on, instead of HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on, instead of PORT.")
def serve(host: str | None, port: int | None) -> None:
    """Bring the database up to date and serve until SIGTERM or SIGINT."""
    gc.disable()  # until it is listening: collecting what imports make, nearly all of it to stay, takes 0.1 s
    config = _config()
    config = replace(config, host=host or config.host, port=config.port if port is None else port)
    configure_logs(config.log_level, config.log_format)
    from server.app import create_app
    from server.serving import serve_until_stopped

    try:
        app = create_app(config)
    except ModuleNotFoundError as error:
        _fail(f"configuration: SPIRIT_PROVIDER: needs the extra: pip install 'seance-server[{error.name}]'")
    sys.exit(_run(serve_until_stopped(config, app)))


@main.command()
@click.option("--to", default="head", show_default=True, help="Revision to go up to.")
@click.option("--down", help="Revision to go down to instead; `base` removes all tables and their content.")
def migrate(to: str, down: str | None) -> None:
    """Bring the database's tables up to date."""
    config = _config()
    configure_logs(config.log_level, config.log_format)
    from alembic.util.exc import CommandError

    from server.errors import DatabaseUnavailable
    from server.store import migrations
    from server.store.outages import reason_of

    try:
        work = (
            migrations.upgrade(config.database_url, to)
            if down is None
            else migrations.downgrade(config.database_url, down)
        )
        asyncio.run(work)
    except DatabaseUnavailable as error:
        _fail(f"migrate: {error.message} ({reason_of(error)})")
    except CommandError as error:
        _fail(f"migrate: {error}")
    click.echo(f"the database is at {asyncio.run(migrations.revision(config.database_url)) or 'no revision'}")


@main.group()
def token() -> None:
    """Tokens for back ends and people."""


@token.command("create")
@click.option("--role", type=click.Choice([str(role) for role in Role]), default=str(Role.SERVICE), show_default=True)
@click.option("--session", "session_id", help="The session it is for; a service token may do without.")
@click.option("--user-id", help="Who it is for; made up when left out.")
@click.option("--user-name", help="The name people see.")
@click.option("--expires-in", type=click.IntRange(1), default=86_400, show_default=True, help="Seconds.")
@click.option("--max-uses", type=click.IntRange(1), help="How often it may be used to join.")
def create_token(
    role: str,
    session_id: str | None,
    user_id: str | None,
    user_name: str | None,
    expires_in: int,
    max_uses: int | None,
) -> None:
    """Print a token signed with JWT_SECRET."""
    from server.auth import Tokens
    from server.domain import SessionId

    if session_id is None and role != Role.SERVICE:
        _fail(f"token: a {role} token needs --session")
    tokens = Tokens(_config().jwt_secret)
    try:
        made, _ = tokens.issue(
            Role(role),
            lifetime_seconds=expires_in,
            session_id=SessionId(session_id) if session_id else None,
            user_id=user_id,
            user_name=user_name,
            max_uses=max_uses,
        )
    except (ValueError, OverflowError) as error:
        _fail(f"token: {error}")
    click.echo(made)


@main.command()
@click.argument("url")
@click.option("--rooms", type=click.IntRange(1), default=50, show_default=True, help="Sessions.")
@click.option("--people", type=click.IntRange(1, 10_000), default=6, show_default=True, help="In each of them.")
@click.option("--tabs", type=click.IntRange(1), default=1, show_default=True, help="Connections of each of them.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Messages/s in all, coming by chance.")
@click.option("--in-flight", type=click.IntRange(1), default=1, show_default=True, help="Without --rate: in each room.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=10, show_default=True, help="Measured.")
@click.option("--warmup", type=click.FloatRange(0), default=2, show_default=True, help="Seconds before that.")
@click.option("--text-chars", type=click.IntRange(1, 8_000), default=50, show_default=True, help="Of each message.")
@click.option("--connect-only", is_flag=True, help="Connect and stay, and say nothing.")
@click.option("--connect-rate", type=click.FloatRange(0, min_open=True), help="Connects/s; else 64 at once.")
@click.option("--token", help="A service token, if the server asks for one.")
@click.option("--source", "sources", multiple=True, help="Local address to connect from; may be repeated.")
@click.option("--pid", type=click.IntRange(1), help="The server's process on this machine: say what it costs.")
@click.option("--spirit", is_flag=True, help="Let the spirit answer.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, writable=True), help="Write all figures there.")
def loadtest(json_file: str | None, **wishes: Any) -> None:
    """Load the server at URL and check what it answers; ends with 1 if it broke a promise, 2 if it could not."""
    from server.loadtest.plan import Plan, Trouble
    from server.loadtest.run import load_test

    try:
        report = _run(load_test(Plan(**wishes)))
    except Trouble as trouble:
        click.echo(f"loadtest: {trouble}", err=True)
        sys.exit(2)
    click.echo(report)
    if json_file is not None:
        Path(json_file).write_text(_pretty(report.as_object()) + "\n", encoding="utf-8")
    sys.exit(0 if report.passed else 1)


@main.command()
def openapi() -> None:
    """Print the OpenAPI document of the REST calls."""
    from server.protocol.openapi import build_openapi

    click.echo(_pretty(build_openapi(VERSION)))


@main.command()
def asyncapi() -> None:
    """Print the AsyncAPI document of the events."""
    from server.protocol.asyncapi import build_asyncapi

    click.echo(_pretty(build_asyncapi(VERSION)))


@main.group()
def config() -> None:
    """The settings."""


@config.command()
def check() -> None:
    """Check the settings and show them, without secrets."""
    checked = _config()
    for name, value in checked.public().items():
        click.echo(f"{name.upper()}={','.join(value) if isinstance(value, tuple) else value}")
    for warning in checked.warnings():
        click.echo(f"warning: {warning}", err=True)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run something on uvloop, where there is one: a message that comes alone then takes a quarter less of the CPU."""
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with suppress(ModuleNotFoundError):  # on Windows
        import uvloop

        new_event_loop = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


def _config() -> Config:
    try:
        config = Config.load()
    except ConfigError as error:
        _refuse(error.faults)
    if faults := list(_deep_faults(config)):
        _refuse(faults)
    return config


def _refuse(faults: Iterable[str]) -> NoReturn:
    for fault in faults:
        click.echo(f"configuration: {fault}", err=True)
    sys.exit(2)


def _deep_faults(config: Config) -> Iterable[str]:
    """Yield what only the parts that use a setting can tell."""
    from server.spirit.budget import parse_prices
    from server.store.urls import parse

    for name, read, value in (
        ("DATABASE_URL", parse, config.database_url),
        ("SPIRIT_PRICES", parse_prices, config.spirit_prices),
    ):
        try:
            read(value)
        except ValueError as error:
            yield f"{name}: {error}"


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)


def _pretty(document: object) -> str:
    import json

    return json.dumps(document, indent=2, ensure_ascii=False)
