"""What one turn costs, and who pays for it: set aside before each call, corrected afterwards."""

from typing import Final

from server.core.ports import Purse, Usage
from server.domain import SessionId
from server.moments import now

# The endpoint generated nothing for these, and charges nothing.
FREE_FAILURES: Final = frozenset({"connect", "rejected", "rate_limited", "upstream_error", "circuit_open", "disabled"})


class OverBudgetError(Exception):
    """The turn would pass a bound; `code` says which."""

    def __init__(self, code: str) -> None:
        """Keep the bound's code."""
        self.code = code
        super().__init__(code)


class Account:
    """The reservation of the call under way, in the name of whoever caused it."""

    def __init__(self, purse: Purse, session_id: SessionId) -> None:
        """Take whose budgets hold; nothing is set aside yet."""
        self._purse = purse
        self._session_id = session_id
        self._payer = ""
        self._reserved_at = now()
        self._at_most: Usage | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether something is set aside."""
        return self._at_most is not None

    async def reserve(self, payer: str, at_most: Usage) -> None:
        """Set aside what a call may cost; raises `OverBudgetError`.

        A call before it, given up without a word, has cost its prompt.
        """
        if self._at_most is not None:
            await self.settle(Usage(self._at_most.prompt_tokens, 0))
        self._reserved_at = now()
        code = await self._purse.reserve(self._session_id, payer, at_most, self._reserved_at)
        if code is not None:
            raise OverBudgetError(code)
        self._payer, self._at_most = payer, at_most

    async def settle(self, counted: Usage | None) -> None:
        """Correct what was set aside by what was counted; without a count it stays."""
        at_most, self._at_most = self._at_most, None
        if at_most is not None:
            await self._purse.settle(self._session_id, self._payer, at_most, counted, self._reserved_at)


def counted_for(usage: Usage | None, failure: str | None) -> Usage | None:
    """Return what a call has cost: what was counted, nothing for a failure that is free, None if nobody knows."""
    return Usage(0, 0) if usage is None and failure in FREE_FAILURES else usage
