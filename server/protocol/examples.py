"""One séance to show: what the documents print as examples, made of the same objects the server sends."""

from datetime import UTC, datetime
from typing import Final

from server.domain import Message, MessageId, Participant, Role, Session, SessionId, TurnId, UserId
from server.moments import iso

SESSION_ID: Final = SessionId("3f0c2a7e-9d41-4c55-8f0e-6f6a0c1b9d27")
TURN_ID: Final = TurnId("0b6f5a0c-5d7c-4a53-9a0d-1c9f7a6e2b84")
TOKEN: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.not-a-signature"  # noqa: S105 - shown, signs nothing
MOMENT: Final = datetime(2026, 11, 1, 21, 30, 0, 125_000, tzinfo=UTC)

SESSION: Final = Session(SESSION_ID, "Friday at nine", 6, MOMENT, head=41)
ENDED: Final = Session(SESSION_ID, "Friday at nine", 6, MOMENT, is_active=False, head=41)
ADA: Final = Participant(UserId("ada"), "Ada", Role.HOST)
BEN: Final = Participant(UserId("ben"), "Ben", Role.MEMBER)
PEOPLE: Final = (ADA, BEN)

MESSAGE: Final = Message(
    MessageId("b2a4c6d8-1e3f-4a5b-8c7d-9e0f1a2b3c4d"),
    SESSION_ID,
    42,
    ADA.user_id,
    ADA.user_name,
    "Is anyone there?",
    iso(MOMENT),
    client_message_id="c-17",
)
