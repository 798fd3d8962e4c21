"""Several pieces of news in one payload."""

from __future__ import annotations

import pytest

from server.cluster.framing import packed, unpacked

NEWS = [b"first", b"", b"\x00" * 70_000, "séance".encode()]
PACKED = b"".join(map(packed, NEWS))


def test_what_is_packed_comes_out_again() -> None:
    assert unpacked(PACKED) == NEWS
    assert unpacked(b"head" + PACKED, 4) == NEWS
    assert unpacked(b"") == []


@pytest.mark.parametrize("missing", [1, 6, 8])
def test_what_is_cut_off_is_not_taken_for_news(missing: int) -> None:
    with pytest.raises(ValueError, match="cut off"):
        unpacked(PACKED[:-missing])
