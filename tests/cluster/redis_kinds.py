"""Redis in the ways that people run it: with TLS and logins, watched by Sentinel, as a cluster."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from redis.asyncio import Redis as Connection
from redis.exceptions import RedisError

from tests.services import spawn
from tests.services.redis import START_SECONDS, Redis, find_program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

SLOTS = 16_384
MEET_SECONDS = 20.0
SERVICE = "seance-master"
QUORUM = 1
DOWN_MS = 500
FAILOVER_MS = 4_000


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    began = datetime.now(UTC) - timedelta(hours=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    crt_file, key_file = folder / "redis.crt", folder / "redis.key"
    crt_file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return crt_file, key_file


@contextmanager
def with_tls(folder: Path) -> Iterator[str]:
    """A server that speaks TLS only, and the URL that trusts its certificate."""
    crt, key = certificate(folder)
    port = spawn.free_port()
    arguments = ["--tls-port", str(port), "--tls-cert-file", str(crt), "--tls-key-file", str(key)]
    with Redis(*arguments, "--tls-ca-cert-file", str(crt), "--tls-auth-clients", "no"):
        yield f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={crt}"


@asynccontextmanager
async def with_user(
    name: str, password: str, channels: str, commands: Sequence[str] = ("+@connection", "+@pubsub")
) -> AsyncIterator[str]:
    """A server on which one user may use some channels, and nobody else anything; the value is that user's URL."""
    with Redis("--requirepass", "admin's own") as server:
        async with Connection.from_url(server.url, password="admin's own", single_connection_client=True) as admin:
            rules = ["reset", "on", f">{password}", "resetchannels", f"&{channels}", *commands]
            await _command(admin, "ACL", "SETUSER", name, *rules)
        yield f"redis://{name}:{password}@127.0.0.1:{server.port}/0"


@asynccontextmanager
async def cluster_of(count: int) -> AsyncIterator[list[int]]:
    """The ports of nodes that form a cluster and share all slots."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="seance-cluster-"))
        nodes = []
        for number in range(count):
            arguments = ["--cluster-enabled", "yes", "--cluster-config-file", f"{folder}/nodes-{number}"]
            bus = ["--cluster-port", str(spawn.free_port()), "--cluster-node-timeout", "2000"]
            nodes.append(await asyncio.to_thread(stack.enter_context, Redis(*arguments, *bus)))
        await _form(nodes)
        yield [node.port for node in nodes]


async def _form(nodes: list[Redis]) -> None:
    share = SLOTS // len(nodes)
    for number, node in enumerate(nodes):
        last = SLOTS - 1 if node is nodes[-1] else (number + 1) * share - 1
        async with Connection.from_url(node.url) as admin:
            await _command(admin, "CLUSTER", "ADDSLOTSRANGE", number * share, last)
            for other in nodes[:number]:
                bus = await _bus_port(other)
                await _command(admin, "CLUSTER", "MEET", "127.0.0.1", other.port, bus)
    async with asyncio.timeout(MEET_SECONDS):
        for node in nodes:
            async with Connection.from_url(node.url) as admin:
                while not _is_whole(await _command(admin, "CLUSTER", "INFO"), len(nodes)):
                    await asyncio.sleep(0.1)


async def _command(connection: Any, *words: str | int) -> Any:
    """What a command without a method of its own answers."""
    return await connection.execute_command(*words)


async def _bus_port(node: Redis) -> int:
    async with Connection.from_url(node.url) as admin:
        found = await admin.config_get("cluster-port")
    return int(str(found["cluster-port"]))


def _is_whole(info: bytes, count: int) -> bool:
    lines = info.decode().split()
    return "cluster_state:ok" in lines and f"cluster_known_nodes:{count}" in lines


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[int, Redis]]:
    """Sentinel's port, and the master it knows; a replica stands by."""
    with ExitStack() as stack:
        master = await asyncio.to_thread(stack.enter_context, Redis())
        replica = Redis("--replicaof", "127.0.0.1", str(master.port), "--repl-diskless-sync-delay", "0")
        await asyncio.to_thread(stack.enter_context, replica)
        async with asyncio.timeout(MEET_SECONDS), Connection.from_url(replica.url) as admin:
            while (await admin.info("replication"))["master_link_status"] != "up":
                await asyncio.sleep(0.1)
        port = await asyncio.to_thread(stack.enter_context, _sentinel(master.port))
        async with asyncio.timeout(MEET_SECONDS), Connection(port=port) as sentinel:
            while not await _knows_replica(sentinel):
                await asyncio.sleep(0.1)
        yield port, master


async def _knows_replica(sentinel: Connection) -> bool:
    with suppress(RedisError):
        return bool(await _command(sentinel, "SENTINEL", "REPLICAS", SERVICE))
    return False


@contextmanager
def _sentinel(master_port: int) -> Iterator[int]:
    port = spawn.free_port()
    with tempfile.TemporaryDirectory(prefix="seance-sentinel-") as name:
        folder = Path(name)
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"sentinel monitor {SERVICE} 127.0.0.1 {master_port} {QUORUM}",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_MS}",
            f"sentinel failover-timeout {SERVICE} {FAILOVER_MS}",
        ]
        (folder / "sentinel.conf").write_text("\n".join(lines))
        command = [str(find_program()), str(folder / "sentinel.conf"), "--sentinel"]
        process = spawn.spawn(command, log=folder / "log", folder=folder)
        try:
            spawn.wait_until(lambda: spawn.accepts(port), process, folder / "log", seconds=START_SECONDS)
            yield port
        finally:
            process.kill()
            process.wait()
