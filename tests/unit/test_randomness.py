"""Random text drawn for many at once."""

import re

from server.engine import Limits, SocketServer
from server.randomness import RandomText
from tests.unit.forking import said_by_a_fork


def test_each_text_is_new_and_all_have_the_same_width() -> None:
    fresh = RandomText(3, bytes.hex).fresh
    texts = [fresh() for _ in range(2_000)]
    assert {len(text) for text in texts} == {6}
    # 2,000 of 16.8 million: about one in eight such lots has a pair; three have not been seen.
    assert len(set(texts)) > 1_995


def test_a_fork_draws_other_texts_than_its_parent() -> None:
    fresh = RandomText(16, bytes.hex).fresh
    fresh()  # so that some are drawn already
    assert said_by_a_fork(fresh) not in {fresh() for _ in range(300)}


async def test_ids_of_connections_are_like_those_of_python_engineio() -> None:
    generate_id = SocketServer(limits=Limits()).eio.generate_id
    ids = {generate_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{20}", id_) for id_ in ids)
    # Every place takes on many letters.
    assert all(len(set(letters)) > 30 for letters in zip(*ids, strict=True))
