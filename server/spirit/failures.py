"""What can go wrong upstream, each as one code; imported only together with the openai SDK."""

from collections.abc import Mapping
from typing import Final

import openai

from server.core.ports import ProviderFailedError

_RATE_LIMITED: Final = 429
_TRANSIENT: Final = frozenset({408, 409, 425})
_SERVER_FAULT: Final = 500


class UpstreamFailedError(ProviderFailedError):
    """One attempt failed; `again` tells whether the same endpoint may be asked again, and after how long."""

    def __init__(self, code: str, *, retryable: bool, again: bool = False, wait_seconds: float = 0.0) -> None:
        """Keep the code, and what to do next; `wait_seconds` is what the endpoint asked for, 0 if nothing."""
        super().__init__(code, retryable=retryable)
        self.again = again
        self.wait_seconds = wait_seconds


def failure_of(error: openai.OpenAIError) -> UpstreamFailedError:
    """Return the failure for what the SDK raised before an answer began."""
    if isinstance(error, openai.APIStatusError):
        return _of_status(error.status_code, error.response.headers)
    if isinstance(error, openai.APIConnectionError):
        return UpstreamFailedError("connect", retryable=True, again=True)
    return UpstreamFailedError("upstream_error", retryable=True, again=True)


def _of_status(status: int, headers: Mapping[str, str]) -> UpstreamFailedError:
    if status == _RATE_LIMITED:
        wait = _wait_seconds(headers)
        return UpstreamFailedError("rate_limited", retryable=True, again=True, wait_seconds=wait)
    if status >= _SERVER_FAULT or status in _TRANSIENT:
        wait = _wait_seconds(headers)
        return UpstreamFailedError("upstream_error", retryable=True, again=True, wait_seconds=wait)
    return UpstreamFailedError("rejected", retryable=False)


def _wait_seconds(headers: Mapping[str, str]) -> float:
    """Return the seconds of `retry-after-ms` or `retry-after`; a date counts as nothing."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * unit)
        except (KeyError, ValueError):
            continue
    return 0.0
