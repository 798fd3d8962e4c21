"""Where a model is, and how long and how much of it is borne; known without the SDK."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is; an empty `base_url` is the SDK's own default, an empty key is sent as `none`."""

    base_url: str
    model: str
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how much to take; all seconds are upper bounds."""

    connect_seconds: float = 5.0
    first_token_seconds: float = 30.0
    between_tokens_seconds: float = 15.0
    turn_seconds: float = 120.0
    retries: int = 2
    backoff_seconds: float = 0.5
    retry_after_seconds: float = 10.0
    output_chars: int = 2_000
    output_tokens: int = 1_000
