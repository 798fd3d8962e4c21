from __future__ import annotations

import time

import pytest

from server.auth import Tokens
from server.core.access import Access, Claim
from server.domain import Role, SessionId
from server.engine import RecoveredState
from server.errors import Forbidden, Unauthorized, ValidationFailed
from server.moments import new_id
from server.realtime.tickets import Ticket

HERE, ELSEWHERE = SessionId(new_id()), SessionId(new_id())
SECRET = "a-secret-of-at-least-32-bytes-for-sure"


class Uses:
    """Counts in memory what the store counts in its table."""

    def __init__(self) -> None:
        self.counted: dict[str, int] = {}

    async def use(self, jti: str, max_uses: int, _: object) -> bool:
        self.counted[jti] = self.counted.get(jti, 0) + 1
        return self.counted[jti] <= max_uses


def access(*, required: bool = True) -> Access:
    return Access(Tokens(SECRET), Uses(), required=required)  # type: ignore[arg-type]


def test_a_token_says_what_was_put_into_it() -> None:
    tokens = Tokens(SECRET)
    token, issued = tokens.issue(
        Role.MEMBER, lifetime_seconds=60, session_id=HERE, user_id="ada", user_name="Ada", max_uses=3
    )
    read = tokens.verify(token)
    assert read == issued
    assert (read.user_id, read.user_name, read.role, read.session_id, read.max_uses) == (
        "ada",
        "Ada",
        "member",
        HERE,
        3,
    )
    assert 59 <= read.expires_at.timestamp() - time.time() <= 60


def test_two_tokens_are_never_the_same() -> None:
    tokens = Tokens(SECRET)
    made = {tokens.issue(Role.SERVICE, lifetime_seconds=60)[1].token_id for _ in range(10)}
    assert len(made) == 10


def test_another_secret_opens_nothing() -> None:
    token, _ = Tokens(SECRET).issue(Role.SERVICE, lifetime_seconds=60)
    with pytest.raises(Unauthorized):
        Tokens(f"{SECRET}!").verify(token)


def test_a_token_ends_to_the_second_and_without_leeway() -> None:
    token, _ = Tokens(SECRET).issue(Role.SERVICE, lifetime_seconds=0)
    with pytest.raises(Unauthorized):
        Tokens(SECRET).verify(token)


@pytest.mark.parametrize("role", [Role.HOST, Role.MEMBER, Role.OBSERVER])
def test_only_a_service_token_may_be_good_for_all_sessions(role: Role) -> None:
    with pytest.raises(ValueError, match="service"):
        Tokens(SECRET).issue(role, lifetime_seconds=60)


@pytest.mark.parametrize("role", Role)
def test_what_each_role_may(role: Role) -> None:
    _, identity = Tokens(SECRET).issue(role, lifetime_seconds=60, session_id=HERE)
    identity.may_enter(HERE)
    with pytest.raises(Forbidden):
        identity.may_enter(ELSEWHERE)
    with pytest.raises(Forbidden):
        identity.may_rule(ELSEWHERE)
    for allowed, ask in (
        (role is not Role.OBSERVER, identity.may_speak),
        (role in {Role.HOST, Role.SERVICE}, lambda: identity.may_rule(HERE)),
    ):
        if allowed:
            ask()
        else:
            with pytest.raises(Forbidden):
                ask()


def test_a_service_of_one_session_makes_no_others() -> None:
    _, bound = Tokens(SECRET).issue(Role.SERVICE, lifetime_seconds=60, session_id=HERE)
    _, free = Tokens(SECRET).issue(Role.SERVICE, lifetime_seconds=60)
    access().require_service(free)
    with pytest.raises(Forbidden):
        access().require_service(bound)


def test_a_stranger_is_taken_at_their_word_unless_tokens_are_asked_for() -> None:
    assert access(required=False).identify(None) is None
    with pytest.raises(Unauthorized):
        access().identify(None)
    person = access(required=False).person(None, Claim("Ada", "ada"))
    assert (person.user_id, person.user_name, person.role) == ("ada", "Ada", Role.MEMBER)
    assert access(required=False).person(None, Claim("Ada")).user_id


def test_nobody_is_the_spirit_and_everybody_has_a_name() -> None:
    with pytest.raises(ValidationFailed):
        access(required=False).person(None, Claim("Ada", "spirit"))
    with pytest.raises(ValidationFailed):
        access(required=False).person(None, Claim())


async def test_a_use_is_counted_once_for_a_client_that_comes_back() -> None:
    door = access()
    _, identity = Tokens(SECRET).issue(Role.MEMBER, lifetime_seconds=60, session_id=HERE, max_uses=1)
    await door.use(identity)
    await door.use(identity, admitted_before=identity.token_id)
    with pytest.raises(Unauthorized):
        await door.use(identity, admitted_before="another")


def ticket(offset: str | None) -> Ticket:
    return Ticket.read(RecoveredState([HERE, "ada", "Ada", "member", "jti", 7], offset))


@pytest.mark.parametrize(
    ("offset", "seq"),
    [
        ("12", 12),
        ("0", 0),
        (None, 7),
        ("", 7),
        ("-1", 7),
        ("1.5", 7),
        ("x", 7),
        ("\N{SUPERSCRIPT TWO}", 7),
        ("9" * 16, 7),
    ],
)
def test_a_ticket_goes_on_from_the_offset_if_it_is_one(offset: str | None, seq: int) -> None:
    assert ticket(offset).seq == seq


def test_a_ticket_keeps_the_place_but_what_is_said_now_comes_first() -> None:
    wish = ticket("12").wish({"user_name": "Lady Ada", "token": "t", "last_seq": 99})
    assert wish == {"session_id": HERE, "user_id": "ada", "user_name": "Lady Ada", "token": "t", "last_seq": 12}
    assert ticket("12").as_list() == [HERE, "ada", "Ada", "member", "jti", 12]
