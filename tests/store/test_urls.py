import pytest

from server.store.urls import DatabaseUrl, parse


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_every_spelling_of_postgresql_becomes_one_dsn(scheme: str) -> None:
    expected = DatabaseUrl("postgresql", "postgresql://a:b@host:5433/db?sslmode=require")
    assert parse(f"{scheme}://a:b@host:5433/db?sslmode=require") == expected


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///seance.db", "seance.db"),
        ("sqlite:////var/lib/seance.db", "/var/lib/seance.db"),
        ("sqlite+aiosqlite:///a%20b.db", "a b.db"),
        ("sqlite:///seance.db?mode=rwc", "seance.db"),
    ],
)
def test_an_sqlite_url_is_the_path_of_a_file(url: str, path: str) -> None:
    assert parse(url) == DatabaseUrl("sqlite", path)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite+aiosqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be a file"):
        parse(url)


@pytest.mark.parametrize("url", ["", "mysql://u:hunter2@h/d", "postgresql:hunter2", "hunter2"])
def test_another_kind_of_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with") as caught:
        parse(url)
    assert "hunter2" not in str(caught.value)
