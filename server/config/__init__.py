"""The settings: read once from the environment and `.env`, checked as a whole, frozen from then on.

Nothing else reads the environment. A secret may also come from a file: `JWT_SECRET_FILE=/run/secrets/jwt`.
An empty value counts as not set.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values
from marshmallow import ValidationError

from server.config.schema import SettingsSchema

__all__ = ["Config", "ConfigError", "SettingsSchema"]

Environment = Literal["development", "test", "production"]

INSECURE_JWT_SECRET = "an-insecure-secret-for-development-only"  # noqa: S105 - refused in production
SECRET_BYTES_LEAST = 32
SECRETS = ("JWT_SECRET", "DATABASE_URL", "REDIS_URL", "SPIRIT_API_KEY", "SPIRIT_FALLBACK_API_KEY")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", None})


class ConfigError(Exception):
    """The settings are wrong; `faults` has one line for each, without values."""

    def __init__(self, faults: Iterable[str]) -> None:
        """Keep the faults in the order of the settings."""
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Every setting, checked; the schema below says what each means."""

    environment: Environment = "development"
    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str = "sqlite:///seance.sqlite3"
    redis_url: str = ""
    redis_prefix: str = "seance"
    migrate_at_start: bool = True
    jwt_secret: str = INSECURE_JWT_SECRET
    auth_required: bool = False
    rate_limits: bool = True
    cors_origins: tuple[str, ...] = ("http://localhost:3000", "http://localhost:3001")
    trusted_proxies: tuple[str, ...] = ()
    log_level: str = "info"
    log_format: Literal["console", "json"] = "console"
    spirit_provider: Literal["ouija", "openai", "none"] = "ouija"
    spirit_base_url: str = ""
    spirit_api_key: str = ""
    spirit_model: str = "gpt-4o-mini"
    spirit_fallback_base_url: str = ""
    spirit_fallback_api_key: str = ""
    spirit_fallback_model: str = ""
    spirit_connect_seconds: float = 5.0
    spirit_first_token_seconds: float = 30.0
    spirit_between_tokens_seconds: float = 15.0
    spirit_turn_seconds: float = 120.0
    spirit_context_tokens: int = 8_000
    spirit_output_chars: int = 2_000
    spirit_output_tokens: int = 1_000
    spirit_pace: float = 1.0
    spirit_session_tokens: int = 0
    spirit_person_tokens: int = 0
    spirit_day_tokens: int = 0
    spirit_session_money: float = 0.0
    spirit_person_money: float = 0.0
    spirit_day_money: float = 0.0
    spirit_prices: str = ""
    socket_engine: Literal["fast", "stock"] = "fast"
    ping_interval_seconds: float = 12.0
    ping_timeout_seconds: float = 8.0
    seat_grace_seconds: float = 6.0
    drain_seconds: float = 4.0
    session_idle_ttl: float = 0.0
    session_retention: float = 0.0

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, dotenv: Path | None = None) -> "Config":
        """Return the settings of an environment (default: the process's own) over those of a `.env` file.

        Raises `ConfigError` with every fault at once.
        """
        said, unread = _said(os.environ if environ is None else environ, dotenv)
        try:
            read = cast("dict[str, Any]", SettingsSchema().load(said))
        except ValidationError as error:
            raise ConfigError([*unread, *_lines(error.messages_dict)]) from None
        if unread:
            raise ConfigError(unread)
        read.setdefault("auth_required", read.get("environment") == "production")
        read.setdefault("log_format", "json" if read.get("environment") == "production" else "console")
        config = cls(**read)
        if faults := list(_faults(config)):
            raise ConfigError(faults)
        return config

    def warnings(self) -> list[str]:
        """Return what is allowed outside production, but should be known."""
        if self.jwt_secret == INSECURE_JWT_SECRET:
            return ["JWT_SECRET is the built-in default: anyone can make tokens; set one of 32 bytes or more"]
        return []

    def public(self) -> dict[str, object]:
        """Return the settings without secrets, for people to read."""
        hidden = {name.lower() for name in SECRETS}
        shown = {item.name: getattr(self, item.name) for item in fields_of(self)}
        return {name: ("set" if value else "") if name in hidden else value for name, value in shown.items()}


def _said(environ: Mapping[str, str], dotenv: Path | None) -> tuple[dict[str, str], list[str]]:
    """Return what is set, and a fault for each file that cannot be read."""
    path = Path(".env") if dotenv is None else dotenv
    unread = []
    try:
        said = {**(dotenv_values(path) if path.is_file() else {}), **environ}
    except (OSError, ValueError):
        said, unread = dict(environ), [f"{path}: Cannot be read; it must be UTF-8."]
    for name in SECRETS:
        if not said.get(name) and (file := said.get(f"{name}_FILE")):
            try:
                said[name] = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, ValueError):
                unread.append(f"{name}_FILE: Cannot be read.")
    return {name: value for name, value in said.items() if value}, unread


def _lines(messages: Mapping[str, Any]) -> list[str]:
    return [f"{name}: {' '.join(faults)}" for name, faults in messages.items()]


def _faults(config: Config) -> Iterable[str]:
    if config.environment == "production":
        if config.jwt_secret == INSECURE_JWT_SECRET:
            yield "JWT_SECRET: Must be set in production."
        elif len(config.jwt_secret.encode()) < SECRET_BYTES_LEAST:
            yield f"JWT_SECRET: Must be at least {SECRET_BYTES_LEAST} bytes in production."
        if config.redis_url and _is_open(config.redis_url):
            yield "REDIS_URL: Must have a password in production, unless it is on this machine."
    if config.spirit_provider == "openai" and not (config.spirit_base_url or config.spirit_api_key):
        yield "SPIRIT_API_KEY: Must be set for SPIRIT_PROVIDER=openai, or SPIRIT_BASE_URL for an endpoint without keys."


def _is_open(redis_url: str) -> bool:
    parts = urlsplit(redis_url)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    here = parts.scheme == "unix" or all(urlsplit(f"//{host}").hostname in LOOPBACK for host in hosts)
    return not parts.password and not here
