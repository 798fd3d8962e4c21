"""The names of the settings, what each means and what it may be."""

from typing import Final

from marshmallow import EXCLUDE, Schema

from server.config.fields import Networks, Origins, choice, flag, number, seconds, text, url, whole

DAY_SECONDS: Final = 86_400.0
YEAR_SECONDS: Final = 366 * DAY_SECONDS
TOKENS_MOST: Final = 10**12
_DATABASES = ("postgresql", "postgres", "postgresql+asyncpg", "sqlite", "sqlite+aiosqlite")
_REDIS = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
_HTTP = ("http", "https")
_ENDPOINT = "https://api.example.org/v1"


class SettingsSchema(Schema):
    """One field for each setting."""

    class Meta:
        """The environment holds much that is not ours."""

        unknown = EXCLUDE

    environment = choice(
        "ENVIRONMENT", "where this runs; production refuses unsafe settings", "development", "test", "production"
    )
    host = text("HOST", "address to listen on; 0.0.0.0 for all")
    port = whole("PORT", "port to listen on; 0 takes a free one", 0, 65535)
    trusted_proxies = Networks(
        data_key="TRUSTED_PROXIES",
        metadata={"help": "addresses or networks of proxies whose X-Forwarded-For is believed, between commas"},
    )

    database_url = url(
        "DATABASE_URL",
        "postgresql://… or sqlite:///file",
        _DATABASES,
        "postgresql://user@host/name or sqlite:///file",
    )
    migrate_at_start = flag("MIGRATE_AT_START", "whether `serve` brings the tables up to date first")
    redis_url = url("REDIS_URL", "joins several processes; empty: one process", _REDIS, "redis://host:6379/0")
    redis_prefix = text("REDIS_PREFIX", "what the names of Redis channels begin with", 64)
    session_idle_ttl = seconds(
        "SESSION_IDLE_TTL", "seconds without a message after which a session expires; 0: never", 0, 10 * YEAR_SECONDS
    )
    session_retention = seconds(
        "SESSION_RETENTION",
        "seconds after its end when a session and its messages are removed; 0: never",
        0,
        100 * YEAR_SECONDS,
    )

    jwt_secret = text("JWT_SECRET", "signs tokens, HS256; at least 32 bytes in production")
    auth_required = flag("AUTH_REQUIRED", "whether tokens are asked for; default: only in production")
    rate_limits = flag("RATE_LIMITS", "on or off; server/core/limits.py has the table")
    cors_origins = Origins(
        data_key="CORS_ORIGINS", metadata={"help": "origins of pages that may call, between commas; our own always may"}
    )

    log_level = choice(
        "LOG_LEVEL", "least severe level that is logged", "debug", "info", "warning", "error", "critical"
    )
    log_format = choice("LOG_FORMAT", "default: json in production, else console", "console", "json")

    spirit_provider = choice("SPIRIT_PROVIDER", "who speaks: ouija (offline), openai, none", "ouija", "openai", "none")
    spirit_pace = number("SPIRIT_PACE", "factor on the pauses of ouija; 0: at once", 0, 100)
    spirit_base_url = url("SPIRIT_BASE_URL", "endpoint that speaks OpenAI's protocol", _HTTP, _ENDPOINT)
    spirit_api_key = text("SPIRIT_API_KEY", "its key")
    spirit_model = text("SPIRIT_MODEL", "its model")
    spirit_fallback_base_url = url(
        "SPIRIT_FALLBACK_BASE_URL", "endpoint to ask when the first fails; empty: the same", _HTTP, _ENDPOINT
    )
    spirit_fallback_api_key = text("SPIRIT_FALLBACK_API_KEY", "its key; empty: the same")
    spirit_fallback_model = text("SPIRIT_FALLBACK_MODEL", "its model; empty: no fallback")
    spirit_connect_seconds = seconds("SPIRIT_CONNECT_SECONDS", "to connect", 0.1, 600)
    spirit_first_token_seconds = seconds("SPIRIT_FIRST_TOKEN_SECONDS", "to the first word", 0.1, 600)
    spirit_between_tokens_seconds = seconds("SPIRIT_BETWEEN_TOKENS_SECONDS", "between two words", 0.1, 600)
    spirit_turn_seconds = seconds("SPIRIT_TURN_SECONDS", "for a whole turn", 0.1, 3600)
    spirit_context_tokens = whole("SPIRIT_CONTEXT_TOKENS", "what is sent at most", 1_000, 10_000_000)
    spirit_output_chars = whole("SPIRIT_OUTPUT_CHARS", "what is said at most", 1, 8_000)
    spirit_output_tokens = whole("SPIRIT_OUTPUT_TOKENS", "what is generated at most", 1, 1_000_000)
    spirit_session_tokens = whole("SPIRIT_SESSION_TOKENS", "budget of a session; 0: none", 0, TOKENS_MOST)
    spirit_person_tokens = whole("SPIRIT_PERSON_TOKENS", "budget of a person and day; 0: none", 0, TOKENS_MOST)
    spirit_day_tokens = whole("SPIRIT_DAY_TOKENS", "budget of a day; 0: none", 0, TOKENS_MOST)
    spirit_session_money = number("SPIRIT_SESSION_MONEY", "the same in the prices' currency; 0: none", 0, 10**9)
    spirit_person_money = number("SPIRIT_PERSON_MONEY", "the same for a person and day", 0, 10**9)
    spirit_day_money = number("SPIRIT_DAY_MONEY", "the same for a day", 0, 10**9)
    spirit_prices = text("SPIRIT_PRICES", "model=sent/received for a million tokens, between commas")

    socket_engine = choice("SOCKET_ENGINE", "Engine.IO server: ours, or python-engineio's", "fast", "stock")
    ping_interval_seconds = seconds("PING_INTERVAL_SECONDS", "between heartbeats", 0.1, 300)
    ping_timeout_seconds = seconds(
        "PING_TIMEOUT_SECONDS", "a connection that does not answer a heartbeat this long is gone", 0.1, 300
    )
    seat_grace_seconds = seconds(
        "SEAT_GRACE_SECONDS", "how long a dropped person's seat is kept; 0: not at all", 0, 300
    )
    drain_seconds = seconds("DRAIN_SECONDS", "over how long clients are sent away at SIGTERM", 0, 8)
