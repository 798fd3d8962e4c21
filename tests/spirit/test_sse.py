"""Event streams cut at any byte."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.spirit.sse import EVENT_BYTES, EventReader

STREAM = (
    b': hello\r\n\r\nevent: x\r\ndata: {"a": 1}\r\n\r\ndata:{"b": "\xc3\xa9"}\n\n'
    b'data: \n\ndata: [DONE]\n\ndata: {"c": 3}\n\n'
)


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_events_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    reader = EventReader()
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(edges)]
    assert [event for piece in pieces for event in reader.feed(piece)] == [{"a": 1}, {"b": "é"}]
    assert reader.done


@pytest.mark.parametrize("stream", [b"data: {not\n", b"data: \xff\xfe\n", b"data: {}{}\n"])
def test_what_is_no_json_is_a_value_error(stream: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - JSON and Unicode errors are its children, each with words of its own
        EventReader().feed(stream)


def test_a_line_without_end_is_refused_at_its_bound() -> None:
    reader = EventReader()
    reader.feed(b"x" * EVENT_BYTES)
    with pytest.raises(ValueError, match="too long"):
        reader.feed(b"x")
