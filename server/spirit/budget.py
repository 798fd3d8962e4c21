"""What the spirit may cost: bounds on tokens and money per session, person and day; plain numbers in and out.

A turn is charged before the call with what it may cost at most, and corrected afterwards by what it did cost, so turns
that run at once cannot pass a bound together. The caller adds both to its sums, in one transaction each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from server.core.ports import Usage

MICROS: Final = 1_000_000


class Scope(StrEnum):
    """What a bound holds for; a person's and the day's sums begin anew at midnight UTC."""

    SESSION = "session"
    PERSON = "person"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Spent:
    """A sum: tokens in and out, and millionths of the currency of the price table."""

    tokens: int = 0
    micros: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.tokens + other.tokens, self.micros + other.micros)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.tokens - other.tokens, self.micros - other.micros)


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a million tokens, sent and received."""

    prompt: Decimal
    completion: Decimal

    def of(self, usage: Usage) -> int:
        """Return the cost in millionths of the currency, rounded up."""
        cost = self.prompt * usage.prompt_tokens + self.completion * usage.completion_tokens
        return int(cost.to_integral_value(rounding=ROUND_CEILING))


@dataclass(frozen=True, slots=True)
class Refusal:
    """The bound that a turn would pass; `code` is what `spirit_finished` of a skipped turn says."""

    scope: Scope
    unit: str

    @property
    def code(self) -> str:
        """The constant for clients and logs, such as `budget_session_tokens`."""
        return f"budget_{self.scope}_{self.unit}"


@dataclass(frozen=True, slots=True)
class Budget:
    """The bounds by scope, of which zero or none means no bound, and the price of the model in use."""

    bounds: Mapping[Scope, Spent]
    price: Price = Price(Decimal(0), Decimal(0))

    def charge(self, usage: Usage) -> Spent:
        """Return what a usage costs: expected, to reserve it, or counted."""
        return Spent(usage.prompt_tokens + usage.completion_tokens, self.price.of(usage))

    def check(self, spent: Mapping[Scope, Spent], expected: Usage) -> Refusal | None:
        """Return the first bound that the sums would pass with the expected usage, or None to go ahead."""
        charge = self.charge(expected)
        for scope, bound in self.bounds.items():
            after = spent.get(scope, Spent()) + charge
            if 0 < bound.tokens < after.tokens:
                return Refusal(scope, "tokens")
            if 0 < bound.micros < after.micros:
                return Refusal(scope, "money")
        return None

    def settle(self, expected: Usage, counted: Usage | None) -> Spent:
        """Return what to add to each sum after a turn, mostly below zero; None stands for a call that told nothing.

        A call stopped before its usage came keeps its reservation: the endpoint may have counted it all.
        """
        return Spent() if counted is None else self.charge(counted) - self.charge(expected)


def sum_keys(session_id: str, user_id: str, at: datetime) -> dict[Scope, str]:
    """Return the key of each sum that a turn counts towards; `user_id` is the person who woke the spirit."""
    day = at.astimezone(UTC).date().isoformat()
    return {Scope.SESSION: session_id, Scope.PERSON: f"{day}/{user_id}", Scope.DAY: day}


def parse_prices(text: str) -> dict[str, Price]:
    """Return prices by model from `model=0.15/0.60, other=1/2`: a million tokens sent, a million received.

    Raises `ValueError` with a sentence for the person who set it.
    """
    entries = (entry.strip() for entry in text.split(","))
    return dict(_price(entry) for entry in entries if entry)


def dearest(prices: Mapping[str, Price], models: Iterable[str]) -> Price:
    """Return a price that no call of these models exceeds, each part on its own; without any known price, zero."""
    known = [prices[model] for model in models if model in prices]
    zero = Decimal(0)
    return Price(
        max((price.prompt for price in known), default=zero), max((price.completion for price in known), default=zero)
    )


def _price(entry: str) -> tuple[str, Price]:
    model, _, parts = entry.rpartition("=")
    sent, _, received = parts.partition("/")
    try:
        price = Price(Decimal(sent), Decimal(received))
    except InvalidOperation:
        raise ValueError(f"'{entry}' is not a price: write model=sent/received, such as gpt-x=0.15/0.60") from None
    if not model.strip() or not all(part.is_finite() and part >= 0 for part in (price.prompt, price.completion)):
        raise ValueError(f"'{entry}' is not a price: it needs a model and two numbers of at least 0")
    return model.strip(), price
