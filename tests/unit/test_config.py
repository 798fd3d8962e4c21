from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.auth import Tokens
from server.config import INSECURE_JWT_SECRET, Config, ConfigError
from tests.services.processes import ROOT, environment

SECRET = "s3cret-that-must-not-be-shown-at-all"
NO_FILE = Path(os.devnull)

WRONG = {
    "DATABASE_URL": f"mysql://user:{SECRET}@host/db",
    "REDIS_URL": f"http://:{SECRET}@host",
    "PORT": "eight thousand",
    "ENVIRONMENT": "staging",
    "LOG_LEVEL": "loud",
    "LOG_FORMAT": "xml",
    "AUTH_REQUIRED": "perhaps",
    "RATE_LIMITS": "some",
    "CORS_ORIGINS": "https://good.example,bad.example/path",
    "TRUSTED_PROXIES": "10.0.0.0/99",
    "SPIRIT_PROVIDER": "medium",
    "SPIRIT_BASE_URL": "ftp://host",
    "SOCKET_ENGINE": "steam",
    "PING_INTERVAL_SECONDS": "0",
    "PING_TIMEOUT_SECONDS": "nan",
    "SEAT_GRACE_SECONDS": "-1",
    "DRAIN_SECONDS": "inf",
    "MIGRATE_AT_START": "maybe",
}


def load(**settings: str) -> Config:
    return Config.load(settings, dotenv=NO_FILE)


def faults(**settings: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(**settings)
    return list(refused.value.faults)


def test_every_fault_is_one_line_that_names_its_setting_and_no_value() -> None:
    lines = faults(**WRONG)
    assert sorted(line.partition(":")[0] for line in lines) == sorted(WRONG)
    for line in lines:
        assert "\n" not in line
        assert SECRET not in line


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "SPIRIT_BASE_URL", "CORS_ORIGINS"])
@pytest.mark.parametrize(
    "value", ["http://[::1", "postgresql://[", "redis://host]", "://", "\\", "http://[x]/", "postgresql://h:port/db"]
)
def test_an_address_that_cannot_be_read_is_a_fault(name: str, value: str) -> None:
    assert [line.partition(":")[0] for line in faults(**{name: value})] == [name]


@pytest.mark.parametrize("port", ["-1", "65536", "1.5", "0x50"])
def test_a_port_is_a_whole_number_within_its_range(port: str) -> None:
    assert faults(PORT=port)[0].startswith("PORT: ")


def test_the_defaults_are_those_of_the_contract() -> None:
    config = load()
    assert config.environment == "development"
    assert config.port == 8000
    assert config.database_url.startswith("sqlite:///")
    assert (config.redis_url, config.auth_required, config.rate_limits) == ("", False, True)
    assert config.cors_origins == ("http://localhost:3000", "http://localhost:3001")
    assert (config.log_level, config.log_format, config.spirit_provider) == ("info", "console", "ouija")
    assert config.jwt_secret == INSECURE_JWT_SECRET
    assert len(config.warnings()) == 1


def test_production_asks_for_tokens_and_writes_json_unless_told_otherwise() -> None:
    config = load(ENVIRONMENT="production", JWT_SECRET="x" * 32)
    assert (config.auth_required, config.log_format) == (True, "json")
    config = load(ENVIRONMENT="production", JWT_SECRET="x" * 32, AUTH_REQUIRED="off", LOG_FORMAT="console")
    assert (config.auth_required, config.log_format) == (False, "console")


@pytest.mark.parametrize("secret", ["", INSECURE_JWT_SECRET, "x" * 31])
def test_production_refuses_a_weak_secret(secret: str) -> None:
    lines = faults(ENVIRONMENT="production", JWT_SECRET=secret)
    assert [line.partition(":")[0] for line in lines] == ["JWT_SECRET"]


def test_a_secret_is_counted_in_bytes() -> None:
    assert load(ENVIRONMENT="production", JWT_SECRET="é" * 16).jwt_secret == "é" * 16


@pytest.mark.parametrize(("said", "meant"), [("on", True), ("TRUE", True), ("1", True), ("Off", False), ("no", False)])
def test_flags_are_read_as_people_write_them(said: str, meant: bool) -> None:
    assert load(AUTH_REQUIRED=said).auth_required is meant


def test_an_empty_value_counts_as_not_set() -> None:
    assert load(PORT="", JWT_SECRET="", CORS_ORIGINS="") == load()


def test_origins_lose_their_last_slash_and_their_spaces() -> None:
    assert load(CORS_ORIGINS=" https://a.example/ , http://b.example:81,,").cors_origins == (
        "https://a.example",
        "http://b.example:81",
    )


def test_origins_are_kept_as_browsers_write_them() -> None:
    said = "HTTP://A.Example:80,https://b.example:443,https://c.example:80,http://[::1]:3000"
    assert load(CORS_ORIGINS=said).cors_origins == (
        "http://a.example",
        "https://b.example",
        "https://c.example:80",
        "http://[::1]:3000",
    )


@pytest.mark.parametrize(
    "never", ["*", "http://*.example", "http://u:p@a.example", "http://", "http://a/b", "http://a?b", "ws://a"]
)
def test_origins_that_no_browser_sends_are_refused(never: str) -> None:
    assert [line.partition(":")[0] for line in faults(CORS_ORIGINS=f"https://a.example,{never}")] == ["CORS_ORIGINS"]


def test_a_file_of_another_encoding_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes("PORT=1".encode("utf-16"))
    with pytest.raises(ConfigError) as refused:
        Config.load({}, dotenv=file)
    assert list(refused.value.faults) == [f"{file}: Cannot be read; it must be UTF-8."]


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=1\nHOST=file\n")
    config = Config.load({"PORT": "2"}, dotenv=file)
    assert (config.port, config.host) == (2, "file")


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "jwt"
    file.write_text(f"{SECRET}\n")
    assert load(JWT_SECRET_FILE=str(file)).jwt_secret == SECRET
    assert load(JWT_SECRET_FILE=str(file), JWT_SECRET="mine").jwt_secret == "mine"
    file.write_bytes(b"\xff\xfe")
    for path in (file, tmp_path / "missing", tmp_path):
        assert faults(JWT_SECRET_FILE=str(path)) == ["JWT_SECRET_FILE: Cannot be read."]


def test_a_file_that_cannot_be_read_hides_no_other_fault() -> None:
    lines = faults(JWT_SECRET_FILE="/missing", PORT="x")
    assert sorted(line.partition(":")[0] for line in lines) == ["JWT_SECRET_FILE", "PORT"]


def test_openai_needs_a_key_or_an_endpoint() -> None:
    assert faults(SPIRIT_PROVIDER="openai")[0].startswith("SPIRIT_API_KEY: ")
    assert load(SPIRIT_PROVIDER="openai", SPIRIT_API_KEY=SECRET).spirit_provider == "openai"
    assert load(SPIRIT_PROVIDER="openai", SPIRIT_BASE_URL="http://host/v1").spirit_provider == "openai"


def seance(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=ROOT / "tests",
        env=environment(**settings),
        timeout=30,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_wrong_start_ends_with_two_and_a_line_for_each_fault() -> None:
    done = seance("serve", **WRONG)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == len(WRONG)
    assert all(line.startswith("configuration: ") for line in done.stderr.splitlines())
    assert SECRET not in done.stdout + done.stderr


def test_a_database_that_cannot_be_reached_ends_the_start_with_one() -> None:
    done = seance("serve", DATABASE_URL=f"postgresql://u:{SECRET}@127.0.0.1:1/x", PORT="0", LOG_FORMAT="json")
    assert done.returncode == 1
    assert "application.not_started" in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr


UNUSABLE = {
    "a folder that is not there": "sqlite:////missing/folder/x.sqlite3",
    "a file that is no database": "sqlite:///{garbage}",
    "a port nobody listens on": f"postgresql://u:{SECRET}@127.0.0.1:1/x",
}


@pytest.mark.parametrize("url", UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_that_cannot_be_used_is_said_in_one_line(command: str, url: str, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_text("no database " * 1_000)
    done = seance(command, DATABASE_URL=url.format(garbage=garbage), PORT="0", LOG_FORMAT="json", JWT_SECRET=SECRET)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_without_tables_and_without_leave_to_make_them_the_start_says_what_to_do(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite3"
    done = seance("serve", DATABASE_URL=url, MIGRATE_AT_START="off", PORT="0", LOG_FORMAT="json", JWT_SECRET=SECRET)
    assert done.returncode == 1
    assert "run `seance migrate`" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "value"), [("DATABASE_URL", "sqlite:///:memory:"), ("SPIRIT_PRICES", "x")])
@pytest.mark.parametrize("command", [("serve",), ("migrate",), ("config", "check")], ids=" ".join)
def test_what_only_a_part_can_tell_is_checked_with_the_rest(command: tuple[str, ...], name: str, value: str) -> None:
    done = seance(*command, **{name: value})
    assert done.returncode == 2
    assert [line.split(":")[:2] for line in done.stderr.splitlines()] == [["configuration", f" {name}"]]


def test_a_revision_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    done = seance("migrate", "--to", "bogus", DATABASE_URL=f"sqlite:///{tmp_path}/x.sqlite3")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_the_settings_are_shown_without_secrets() -> None:
    secrets = {
        "JWT_SECRET": SECRET,
        "DATABASE_URL": f"postgresql://u:{SECRET}@host/db",
        "REDIS_URL": f"redis://:{SECRET}@host/0",
        "SPIRIT_API_KEY": SECRET,
    }
    done = seance("config", "check", **secrets)
    assert done.returncode == 0
    assert SECRET not in done.stdout + done.stderr
    assert "JWT_SECRET=set" in done.stdout.splitlines()


def test_tokens_are_made_on_the_command_line() -> None:
    done = seance("token", "create", "--user-id", "back-end", "--expires-in", "60", JWT_SECRET=SECRET)
    assert done.returncode == 0, done.stderr
    assert Tokens(SECRET).verify(done.stdout.strip()).user_id == "back-end"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--role", "member"],
        ["--role", "king"],
        ["--session", "x"],
        ["--user-id", "x" * 65],
        ["--user-name", "x" * 33],
        ["--expires-in", "0"],
        ["--max-uses", "0"],
        ["--expires-in", "9" * 30],
    ],
)
def test_a_token_that_cannot_be_is_refused_in_a_line(arguments: list[str]) -> None:
    done = seance("token", "create", *arguments, JWT_SECRET=SECRET)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
