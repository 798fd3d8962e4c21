"""The voice that the settings ask for."""

from typing import Literal

from server.core.ports import Provider
from server.spirit.patience import Endpoint, Patience


def make_provider(
    kind: Literal["ouija", "openai", "none"],
    *,
    base_url: str = "",
    api_key: str = "",
    model: str = "",
    fallback: Endpoint | None = None,
    patience: Patience | None = None,
    context_tokens: int = 8_000,
    pace: float = 1.0,
) -> Provider | None:
    """Return the voice, or None for `none`.

    `pace` is a factor on the pauses of `ouija`; the rest is for `openai`, which imports the SDK and reads certificates:
    that blocks for about a second, so call it before the loop runs, or in a thread. Raises `ModuleNotFoundError` when
    the extra `openai` is not installed.
    """
    if kind == "none":
        return None
    # Each voice is imported only where it speaks: one knows many phrases, the other's SDK takes most of a second.
    if kind == "ouija":
        from server.spirit.ouija import OuijaSpirit  # noqa: PLC0415

        return OuijaSpirit(pace=pace)
    from server.spirit.openai import OpenAISpirit  # noqa: PLC0415

    endpoints = [Endpoint(base_url, model, api_key), *((fallback,) if fallback else ())]
    return OpenAISpirit(endpoints, patience=patience, context_tokens=context_tokens)
