"""From the settings to a voice and its purse."""

from decimal import Decimal

from server.config import Config
from server.core.ports import Provider, Purse
from server.spirit.budget import MICROS, Budget, Scope, Spent, dearest, parse_prices
from server.spirit.choose import make_provider
from server.spirit.patience import Endpoint, Patience
from server.spirit.purse import FreePurse, SharedPurse
from server.store.spendings import Spendings


def voice_of(config: Config) -> Provider | None:
    """Return the spirit's voice; raises as `make_provider`."""
    return make_provider(
        config.spirit_provider,
        base_url=config.spirit_base_url,
        api_key=config.spirit_api_key,
        model=config.spirit_model,
        fallback=_fallback(config),
        patience=Patience(
            connect_seconds=config.spirit_connect_seconds,
            first_token_seconds=config.spirit_first_token_seconds,
            between_tokens_seconds=config.spirit_between_tokens_seconds,
            turn_seconds=config.spirit_turn_seconds,
            output_chars=config.spirit_output_chars,
            output_tokens=config.spirit_output_tokens,
        ),
        context_tokens=config.spirit_context_tokens,
        pace=config.spirit_pace,
    )


def purse_of(config: Config, spendings: Spendings) -> Purse:
    """Return who pays; raises `ValueError` for prices that are none."""
    bounds = {
        Scope.SESSION: _bound(config.spirit_session_tokens, config.spirit_session_money),
        Scope.PERSON: _bound(config.spirit_person_tokens, config.spirit_person_money),
        Scope.DAY: _bound(config.spirit_day_tokens, config.spirit_day_money),
    }
    models = (config.spirit_model, config.spirit_fallback_model)
    price = dearest(parse_prices(config.spirit_prices), models)
    free = config.spirit_provider != "openai" or all(bound == Spent() for bound in bounds.values())
    return FreePurse() if free else SharedPurse(spendings, Budget(bounds, price))


def _fallback(config: Config) -> Endpoint | None:
    if not config.spirit_fallback_model:
        return None
    return Endpoint(
        config.spirit_fallback_base_url or config.spirit_base_url,
        config.spirit_fallback_model,
        config.spirit_fallback_api_key or config.spirit_api_key,
    )


def _bound(tokens: int, money: float) -> Spent:
    return Spent(tokens, int(Decimal(str(money)) * MICROS))
