import base64
import json
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import ValidationFailed
from server.moments import new_id
from server.store.cursors import Cursor


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_cursor_survives_the_way_to_the_client_and_back(moment: object) -> None:
    cursor = Cursor(moment, new_id())  # type: ignore[arg-type]
    assert Cursor.decoded(cursor.encoded()) == cursor


@given(st.text() | st.binary().map(lambda raw: raw.hex()) | st.from_regex(r"[A-Za-z0-9_-]*", fullmatch=True))
def test_any_other_text_is_refused_with_the_name_of_the_field(text: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        Cursor.decoded(text)
    assert list(caught.value.details) == ["cursor"]


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_moment_that_no_clock_can_show_in_utc_is_refused(moment: str) -> None:
    forged = base64.urlsafe_b64encode(json.dumps([moment, new_id()]).encode()).rstrip(b"=").decode()
    with pytest.raises(ValidationFailed):
        Cursor.decoded(forged)


@pytest.mark.parametrize("text", ["W10", "WzEsMl0", "WyIyMDI2LTAxLTAxIiwgIngiXQ", "bnVsbA"])
def test_json_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValidationFailed):
        Cursor.decoded(text)
