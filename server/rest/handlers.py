"""The REST calls: read what was asked, ask the core, wrap the answer."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from aiohttp import web

from server.auth import Identity
from server.core.access import Access, Claim
from server.core.limits import Limits
from server.core.messages import Messages, drafted
from server.core.ports import Outline
from server.core.presence import Presence
from server.core.sessions import Sessions
from server.core.turns import Turns
from server.domain import Role, SessionId
from server.errors import ValidationFailed
from server.protocol import inbound
from server.protocol.commands import TOKEN_SECONDS
from server.protocol.fields import shown
from server.protocol.objects import message_object, session_object, token_object, user_object
from server.protocol.quick import quick_session
from server.rest.answers import answer
from server.rest.bodies import read_json

CREATE: Final = inbound.CreateSessionSchema()
CHANGE: Final = inbound.ChangeSessionSchema()
PAGE: Final = inbound.PageSchema()
HISTORY: Final = inbound.HistoryRangeSchema()
POST: Final = inbound.PostMessageSchema()
MINT: Final = inbound.MintTokenSchema()
HOST_TOKEN_SECONDS: Final = 30 * TOKEN_SECONDS


@dataclass(frozen=True, slots=True)
class SessionCalls:
    """The calls under `/api/sessions`."""

    access: Access
    limits: Limits
    sessions: Sessions
    messages: Messages
    presence: Presence
    turns: Turns

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for the application and for CORS."""
        one = "/api/sessions/{session_id:[^/]+}"  # anything: an id that could not be one is not found either
        return [
            web.post("/api/sessions", self.create),
            web.get("/api/sessions", self.list),
            web.get(one, self.read),
            web.patch(one, self.change),
            web.delete(one, self.end),
            web.get(f"{one}/messages", self.history),
            web.post(f"{one}/messages", self.post),
            web.get(f"{one}/users", self.users),
            web.post(f"{one}/tokens", self.mint),
            web.get(f"{one}/spirit/context", self.context),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Make a session; with auth on, its host's token comes along."""
        identity = self._identity(request)
        self.access.require_service(identity)
        said = await read_json(request)
        session = await self.sessions.create(quick_session(said) or inbound.read(CREATE, said))
        data = session_object(session)
        if self.access.required:
            token, _ = self.access.tokens.issue(Role.HOST, lifetime_seconds=HOST_TOKEN_SECONDS, session_id=session.id)
            data["host_token"] = token
        return answer(request, data, status=201, location=f"/api/sessions/{session.id}")

    async def list(self, request: web.Request) -> web.StreamResponse:
        """List sessions, newest first."""
        self.access.require_service(self._identity(request))
        sessions, cursor = await self.sessions.page(inbound.read(PAGE, _query(request)))
        return answer(request, [session_object(session) for session in sessions], next_cursor=cursor)

    async def read(self, request: web.Request) -> web.StreamResponse:
        """Read a session, ended or not."""
        session_id, _ = self._entered(request)
        return answer(request, session_object(await self.sessions.get(session_id)))

    async def change(self, request: web.Request) -> web.StreamResponse:
        """Change a session; what is left out stays."""
        session_id, _ = self._ruled(request)
        command = inbound.read(CHANGE, await read_json(request))
        return answer(request, session_object(await self.sessions.change(session_id, command)))

    async def end(self, request: web.Request) -> web.StreamResponse:
        """End a session for everyone."""
        session_id, _ = self._ruled(request)
        return answer(request, session_object(await self.sessions.end(session_id)))

    async def history(self, request: web.Request) -> web.StreamResponse:
        """Read messages in ascending `seq`."""
        session_id, _ = self._entered(request)
        wanted = inbound.read(HISTORY, _query(request))
        await self.sessions.get(session_id)
        messages, has_more = await self.messages.read(session_id, wanted)
        return answer(request, [message_object(message) for message in messages], has_more=has_more)

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Post a message in a person's name; answered after its commit."""
        session_id, identity = self._entered(request)
        if identity is not None:
            identity.may_speak()
        said = _with_key(request, await read_json(request))
        command = inbound.read(POST, said)
        claim = Claim(command.user_name, command.user_id)
        speaker = self.access.person(identity, claim, default_id=_id_of_name(session_id, command.user_name))
        self.limits.message(session_id, speaker.user_id)
        draft = drafted(session_id, speaker, command.message, command.client_message_id)
        if identity is not None and identity.is_limited and not await self.messages.is_repeat(draft):
            await self.access.use(identity)
        return answer(request, message_object(await self.messages.posted(draft)), status=201)

    async def users(self, request: web.Request) -> web.StreamResponse:
        """Tell who is there now."""
        session_id, _ = self._entered(request)
        await self.sessions.get(session_id)
        return answer(request, [user_object(user) for user in await self.presence.users(session_id)])

    async def mint(self, request: web.Request) -> web.StreamResponse:
        """Make a token for a session."""
        session_id, ruler = self._ruled(request)
        command = inbound.read(MINT, await read_json(request, optional=True))
        await self.access.require_use_left(ruler)  # else it would have no end
        await self.sessions.get(session_id)
        token, identity = self.access.tokens.issue(
            command.role,
            lifetime_seconds=command.expires_in,
            session_id=session_id,
            user_id=command.user_id,
            user_name=command.user_name,
            max_uses=command.max_uses,
        )
        return answer(request, token_object(token, identity), status=201)

    async def context(self, request: web.Request) -> web.StreamResponse:
        """Show what would be sent to the spirit's model if it spoke now."""
        session_id, _ = self._ruled(request)
        session = await self.sessions.get(session_id)
        return answer(request, context_object(await self.turns.outline(session)))

    def _identity(self, request: web.Request) -> Identity | None:
        return self.access.identify(_bearer(request))

    def _entered(self, request: web.Request) -> tuple[SessionId, Identity | None]:
        session_id, identity = SessionId(request.match_info["session_id"]), self._identity(request)
        self.access.require_entry(identity, session_id)
        return session_id, identity

    def _ruled(self, request: web.Request) -> tuple[SessionId, Identity | None]:
        session_id, identity = SessionId(request.match_info["session_id"]), self._identity(request)
        self.access.require_rule(identity, session_id)
        return session_id, identity


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _query(request: web.Request) -> dict[str, str]:
    """Return the query; raises `ValidationFailed` for what is in it twice."""
    query = request.query
    if twice := {name for name in query if len(query.getall(name)) > 1}:
        raise ValidationFailed(details={name: ["Given more than once."] for name in sorted(map(shown, twice))})
    return dict(query)


def _with_key(request: web.Request, said: object) -> object:
    """Return the body with `Idempotency-Key` as its `client_message_id`."""
    key = request.headers.get("Idempotency-Key")
    if key is None or not isinstance(said, dict):
        return said
    if said.get("client_message_id", key) != key:
        raise ValidationFailed(details={"client_message_id": ["Differs from Idempotency-Key."]})
    return {**said, "client_message_id": key}


def _id_of_name(session_id: SessionId, name: str | None) -> str:
    """Return the id of someone who only said a name: the same each time, so that a retry is the same sender."""
    return str(uuid5(NAMESPACE_URL, f"seance:{session_id}:{name}"))


def context_object(outline: Outline) -> dict[str, Any]:
    """Return what would be sent, see `ContextShape`."""
    return {
        "messages": [{"role": role, "content": content} for role, content in outline.messages],
        "prompt_tokens": outline.at_most.prompt_tokens,
        "left_out": len(outline.left_out),
    }
