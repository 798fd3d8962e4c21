"""Tokens: who someone is, and what they may do in which session (RFC 7519, HS256)."""

import time
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from server.domain import USER_ID_CHARS, USER_NAME_CHARS, Role, SessionId, UserId, is_line, is_session_id, is_storable
from server.errors import Forbidden, Unauthorized
from server.moments import new_id

AUDIENCE = "seance"
ALGORITHM = "HS256"
TOKEN_ID_CHARS = 128
CLOCK_SKEW_SECONDS = 30  # a back end's clock may run ahead of ours
_LAST_SECOND = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Identity:
    """What a good token says. A `service` token may lack a session: it is good for all."""

    user_id: UserId
    role: Role
    session_id: SessionId | None
    token_id: str
    expires_at: datetime
    user_name: str | None = None
    max_uses: int | None = None

    @property
    def is_limited(self) -> bool:
        """Tell whether its uses are counted."""
        return self.max_uses is not None

    def may_enter(self, session_id: SessionId) -> None:
        """Raise `Forbidden` for a token of another session."""
        if self.session_id not in {session_id, None}:
            raise Forbidden("This token is for another session", {"session_id": session_id})

    def may_speak(self) -> None:
        """Raise `Forbidden` for an observer."""
        if self.role is Role.OBSERVER:
            raise Forbidden("An observer may not send", {"role": self.role})

    def may_rule(self, session_id: SessionId) -> None:
        """Raise `Forbidden` unless this is the session's host or a back end."""
        self.may_enter(session_id)
        if self.role not in {Role.HOST, Role.SERVICE}:
            raise Forbidden("Only the host may do that", {"role": self.role})


class Tokens:
    """Makes and checks tokens with one secret; keeps nothing."""

    def __init__(self, secret: str) -> None:
        """Take the secret of `JWT_SECRET`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a short secret is the settings' business
            self._key = OctKey.import_key(secret)

    def issue(
        self,
        role: Role,
        *,
        lifetime_seconds: int,
        session_id: SessionId | None = None,
        user_id: str | None = None,
        user_name: str | None = None,
        max_uses: int | None = None,
    ) -> tuple[str, Identity]:
        """Return a token and what it says; without `user_id` a fresh one is made."""
        issued = int(time.time())
        claims: dict[str, object] = {
            "aud": AUDIENCE,
            "sub": user_id or new_id(),
            "role": role,
            "iat": issued,
            "exp": issued + lifetime_seconds,
            "jti": new_id(),
        }
        optional = {"session_id": session_id, "name": user_name, "max_uses": max_uses}
        claims.update({name: value for name, value in optional.items() if value is not None})
        return jwt.encode({"alg": ALGORITHM}, claims, self._key), _identity(claims)

    def verify(self, token: str) -> Identity:
        """Return what a token says; raises `Unauthorized` if it is forged, expired, early or incomplete."""
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            _RULES.validate(claims)
            identity = _identity(claims)
        except (JoseError, ValueError, TypeError, KeyError):
            raise Unauthorized from None
        if identity.expires_at.timestamp() <= time.time():
            raise Unauthorized
        return identity


_RULES = jwt.JWTClaimsRegistry(
    leeway=CLOCK_SKEW_SECONDS,
    aud={"essential": True, "value": AUDIENCE},
    sub={"essential": True},
    iat={"essential": True},
    exp={"essential": True},
    jti={"essential": True},
    role={"essential": True, "values": [str(role) for role in Role]},
)


def _identity(claims: dict[str, object]) -> Identity:
    role = Role(str(claims["role"]))
    session_id, name, max_uses = claims.get("session_id"), claims.get("name"), claims.get("max_uses")
    if session_id is None and role is not Role.SERVICE:
        raise ValueError("only a service token is good for all sessions")
    if session_id is not None and not is_session_id(str(session_id)):
        raise ValueError("session_id is not an id")
    if max_uses is not None and (type(max_uses) is not int or max_uses < 1):
        raise ValueError("max_uses is no count")
    expires = int(str(claims["exp"]))
    if not 0 <= expires <= _LAST_SECOND:
        raise ValueError("exp is no moment")
    return Identity(
        user_id=UserId(_text(claims["sub"], USER_ID_CHARS)),
        role=role,
        session_id=SessionId(str(session_id)) if session_id is not None else None,
        token_id=_line(claims["jti"], TOKEN_ID_CHARS),
        expires_at=datetime.fromtimestamp(expires, UTC),
        user_name=_line(name, USER_NAME_CHARS) if name is not None else None,
        max_uses=max_uses,
    )


def _text(said: object, chars_most: int) -> str:
    """Return a claim that will be stored."""
    if not is_storable(said, chars_most):
        raise ValueError("a claim cannot be stored")
    return str(said)


def _line(said: object, chars_most: int) -> str:
    """Return a claim that will be stored and shown; whoever has the secret may still have signed nonsense."""
    if not is_line(said, chars_most):
        raise ValueError("a claim is no line of text within its bound")
    return str(said)
