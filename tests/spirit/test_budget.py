"""Bounds on tokens and money, before a call and after it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from server.core.ports import Usage
from server.spirit.budget import Budget, Price, Refusal, Scope, Spent, dearest, parse_prices, sum_keys

PRICE = Price(Decimal("0.15"), Decimal("0.60"))


def test_a_turn_passes_up_to_its_bound_and_not_beyond() -> None:
    budget = Budget({Scope.SESSION: Spent(tokens=1_000)})
    assert budget.check({Scope.SESSION: Spent(tokens=400)}, Usage(500, 100)) is None
    assert budget.check({Scope.SESSION: Spent(tokens=401)}, Usage(500, 100)) == Refusal(Scope.SESSION, "tokens")


@pytest.mark.parametrize("scope", list(Scope))
def test_every_scope_has_its_own_bound_on_money(scope: Scope) -> None:
    budget = Budget({scope: Spent(micros=100)}, PRICE)
    refusal = budget.check({scope: Spent(micros=99)}, Usage(10, 10))
    assert refusal is not None
    assert refusal.code == f"budget_{scope.value}_money"
    assert budget.check({}, Usage(10, 10)) is None


def test_zero_is_no_bound() -> None:
    assert Budget({Scope.DAY: Spent()}, PRICE).check({Scope.DAY: Spent(10**12, 10**12)}, Usage(1, 1)) is None


def test_a_settled_turn_leaves_exactly_what_it_cost() -> None:
    budget = Budget({}, PRICE)
    expected, counted = Usage(8_000, 1_000), Usage(321, 9)
    spent = budget.charge(expected) + budget.settle(expected, counted)
    assert spent == budget.charge(counted) == Spent(330, 54)


def test_a_turn_that_told_no_usage_keeps_its_reservation() -> None:
    assert Budget({}, PRICE).settle(Usage(100, 100), None) == Spent()


def test_turns_at_once_cannot_pass_a_bound_together() -> None:
    budget, expected = Budget({Scope.DAY: Spent(tokens=1_000)}), Usage(300, 100)
    sums = Spent()
    started = 0
    for _ in range(5):
        if budget.check({Scope.DAY: sums}, expected) is None:
            sums += budget.charge(expected)
            started += 1
    assert started == 2


def test_money_is_rounded_up_to_a_millionth() -> None:
    assert Price(Decimal("0.15"), Decimal(0)).of(Usage(1, 0)) == 1


def test_a_price_table_is_read_with_blanks_and_names_with_signs() -> None:
    assert parse_prices(" gpt-x=0.15/0.60, org/m=7b:free=0/0 ,") == {
        "gpt-x": PRICE,
        "org/m=7b:free": Price(Decimal(0), Decimal(0)),
    }
    assert parse_prices("") == {}


@pytest.mark.parametrize("text", ["gpt-x", "gpt-x=1", "=1/2", "gpt-x=a/b", "gpt-x=-1/2", "gpt-x=nan/1", "gpt-x=inf/1"])
def test_a_price_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a price") as told:
        parse_prices(f"good=1/2,{text}")
    assert text in str(told.value)


def test_a_fallback_is_counted_at_the_dearer_price() -> None:
    prices = parse_prices("a=1/5,b=2/4")
    assert dearest(prices, ["a", "b", "unknown"]) == Price(Decimal(2), Decimal(5))
    assert dearest(prices, ["unknown"]) == Price(Decimal(0), Decimal(0))


def test_days_begin_at_midnight_utc() -> None:
    late = datetime(2026, 10, 31, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
    assert sum_keys("s", "anna", late) == {Scope.SESSION: "s", Scope.PERSON: "2026-11-01/anna", Scope.DAY: "2026-11-01"}
