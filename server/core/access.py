"""Who may do what: the one place that reads tokens and knows whether they are asked for."""

from dataclasses import dataclass

from server.auth import Identity, Tokens
from server.domain import SPIRIT_USER_ID, Participant, Role, SessionId, UserId
from server.errors import Forbidden, Unauthorized, ValidationFailed
from server.moments import new_id
from server.store.tokens import TokenUses


@dataclass(slots=True)
class Claim:
    """Who someone says they are, before it is checked."""

    user_name: str | None = None
    user_id: str | None = None


class Access:
    """Answers with an identity or raises `Unauthorized` or `Forbidden`; None is a stranger while auth is off."""

    def __init__(self, tokens: Tokens, uses: TokenUses, *, required: bool) -> None:
        """Take the tokens, the count of their uses, and whether a stranger is refused."""
        self.tokens = tokens
        self.required = required
        self._uses = uses

    def identify(self, token: str | None) -> Identity | None:
        """Return what the token says; a bad one is refused even while auth is off."""
        if token is None:
            if self.required:
                raise Unauthorized
            return None
        return self.tokens.verify(token)

    async def use(self, identity: Identity | None, *, admitted_before: str | None = None) -> None:
        """Count one use of a token that has only so many: a join, or a post from outside.

        The token whose id is `admitted_before` let this client in already. Raises `Unauthorized` when no use
        is left.
        """
        if identity is None or identity.max_uses is None or identity.token_id == admitted_before:
            return
        if not await self._uses.use(identity.token_id, identity.max_uses, identity.expires_at):
            raise Unauthorized("This token is used up")

    async def require_use_left(self, identity: Identity | None) -> None:
        """Raise `Unauthorized` for a token that is used up, without counting a use."""
        if identity is None or identity.max_uses is None:
            return
        if await self._uses.used(identity.token_id) >= identity.max_uses:
            raise Unauthorized("This token is used up")

    def require_service(self, identity: Identity | None) -> None:
        """Let a back end through, and anyone while auth is off."""
        if identity is None:
            return
        if self.required and (identity.role is not Role.SERVICE or identity.session_id is not None):
            raise Forbidden("Only a service token allows that", {"role": identity.role})

    def require_entry(self, identity: Identity | None, session_id: SessionId) -> None:
        """Let those in whose token is for this session."""
        if identity is not None:
            identity.may_enter(session_id)

    def require_rule(self, identity: Identity | None, session_id: SessionId) -> None:
        """Let the host of this session and a back end through, and anyone while auth is off."""
        if identity is None:
            return
        if self.required:
            identity.may_rule(session_id)
        else:
            identity.may_enter(session_id)

    def person(self, identity: Identity | None, claim: Claim, *, default_id: str | None = None) -> Participant:
        """Return who joins or speaks.

        A token says the id, and the name if it has one; a `service` token may name anyone. While auth is off a
        claim is taken at its word. Raises `ValidationFailed` when no name is known, `Forbidden` for an id that
        is not the token's.
        """
        free = identity is None or identity.role is Role.SERVICE
        if identity is not None and not free and claim.user_id not in {None, identity.user_id}:
            raise Forbidden("This token is for another user", {"user_id": claim.user_id})
        name = claim.user_name if free else (identity and identity.user_name) or claim.user_name
        if name is None and identity is not None:
            name = identity.user_name
        if name is None:
            raise ValidationFailed(details={"user_name": ["Missing data for required field."]})
        user_id = claim.user_id or default_id or new_id() if free else identity and identity.user_id
        if user_id == SPIRIT_USER_ID:
            raise ValidationFailed(details={"user_id": ["Reserved for the spirit."]})
        role = Role.MEMBER if identity is None or identity.role is Role.SERVICE else identity.role
        return Participant(UserId(str(user_id)), name, role)
