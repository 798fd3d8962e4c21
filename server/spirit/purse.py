"""The purse of the spirit: budgets on sums that all processes share."""

from collections.abc import Mapping
from datetime import datetime

from server.core.ports import Usage
from server.domain import SessionId
from server.spirit.budget import Budget, Refusal, Scope, Spent, sum_keys
from server.store.spendings import Spendings, Sum


class FreePurse:
    """The purse of a spirit without bounds: nothing is counted."""

    async def reserve(self, session_id: SessionId, user_id: str, at_most: Usage, at: datetime) -> str | None:
        """Let every turn go ahead."""

    async def settle(
        self, session_id: SessionId, user_id: str, at_most: Usage, counted: Usage | None, at: datetime
    ) -> None:
        """Do nothing."""


class SharedPurse:
    """Sets aside before a call what it may cost at most, and corrects it afterwards."""

    def __init__(self, spendings: Spendings, budget: Budget) -> None:
        """Take the sums and their bounds."""
        self._spendings = spendings
        self._budget = budget

    async def reserve(self, session_id: SessionId, user_id: str, at_most: Usage, at: datetime) -> str | None:
        """Set aside what a turn may cost; returns the code of the bound it would pass, None to go ahead."""
        keys = _keys(session_id, user_id, at)

        def refusal(sums: Mapping[str, Sum]) -> Refusal | None:
            spent = {scope: Spent(sums[key].tokens, sums[key].micros) for scope, key in keys.items()}
            return self._budget.check(spent, at_most)

        refused = await self._spendings.add(keys.values(), _sum(self._budget.charge(at_most)), refusal)
        return refused.code if refused is not None else None

    async def settle(
        self, session_id: SessionId, user_id: str, at_most: Usage, counted: Usage | None, at: datetime
    ) -> None:
        """Correct what was set aside by what was counted; without a count it stays."""
        correction = _sum(self._budget.settle(at_most, counted))
        if correction != Sum():
            await self._spendings.add(_keys(session_id, user_id, at).values(), correction)


def _keys(session_id: SessionId, user_id: str, at: datetime) -> dict[Scope, str]:
    """Return the keys of the sums; notes are taken for nobody, and count for the session and the day."""
    keys = {scope: f"{scope}/{key}" for scope, key in sum_keys(session_id, user_id, at).items()}
    return keys if user_id else {scope: key for scope, key in keys.items() if scope is not Scope.PERSON}


def _sum(spent: Spent) -> Sum:
    return Sum(spent.tokens, spent.micros)
