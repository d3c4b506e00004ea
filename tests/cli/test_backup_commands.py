"""``mes backup`` and ``mes restore``: what was is there again, or nothing happens."""

import asyncio
import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from mes_engine.migrations import head
from mes_engine.storage.lock import sole_engine
from tests.cli.backups import (
    a_backup,
    a_config,
    a_days_database,
    restored,
    sql,
    url_of,
)
from tests.commands import mes

pytestmark = pytest.mark.timeout(180)  # some seconds a command, where others work too

Spoil = Callable[[Path], None]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a day's work in it; nobody changes it."""
    return asyncio.run(a_days_database(tmp_path_factory.mktemp("day") / "mes.db"))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_config(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="module")
def taken(day: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_backup(day, tmp_path_factory.mktemp("taken") / "yesterday.db")


@pytest.fixture
def backup(taken: Path, tmp_path: Path) -> Path:
    """A backup that the test may spoil: a copy of both of its files."""
    shutil.copy(f"{taken}.json", tmp_path)
    return Path(shutil.copy(taken, tmp_path))


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    return tmp_path / "fresh" / "mes.db"


def changed(backup: Path, **values: object) -> None:
    """Have the manifest say something else."""
    manifest = backup.with_name(f"{backup.name}.json")
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | values))


def test_what_was_backed_up_is_there_again(
    day: Path, backup: Path, fresh: Path, config: Path
) -> None:
    said = restored(backup, fresh, config)

    assert (said.code, said.err) == (0, "")
    assert "has TEST up to fact" in said.out
    facts = "SELECT * FROM fact ORDER BY seq"
    assert sql(fresh, facts) == sql(day, facts)
    assert mes("verify", "--database", url_of(fresh)).code == 0


def test_the_manifest_says_what_is_in_it(day: Path, backup: Path) -> None:
    manifest = json.loads(Path(f"{backup}.json").read_text())

    ((last,),) = sql(day, "SELECT max(seq) FROM fact")
    assert manifest["seq"] == last
    assert manifest["plant"] == "TEST"
    assert manifest["partition"] == "main"
    assert manifest["revision"] == head()
    assert manifest["size"] == backup.stat().st_size
    assert manifest["sha256"] == sha256(backup.read_bytes()).hexdigest()


def test_in_a_folder_a_backup_is_named_by_its_time(day: Path, tmp_path: Path) -> None:
    file = a_backup(day, tmp_path)

    taken_at = json.loads(Path(f"{file}.json").read_text())["taken_at"]
    stamp = taken_at.removesuffix("+00:00").replace("-", "").replace(":", "")
    assert file.name == f"mes-{stamp}Z.db"
    assert sorted(tmp_path.iterdir()) == [file, Path(f"{file}.json")]


def test_a_backup_is_not_overwritten(day: Path, backup: Path) -> None:
    before = backup.read_bytes()

    said = mes("backup", "--database", url_of(day), "--to", str(backup))

    assert (said.code, said.out) == (1, "")
    assert "it is not overwritten" in said.err
    assert backup.read_bytes() == before


def test_a_backup_to_nowhere_is_said_in_a_sentence(day: Path, tmp_path: Path) -> None:
    said = mes("backup", "--database", url_of(day), "--to", str(tmp_path / "no" / "x"))

    assert (said.code, said.out) == (3, "")
    assert len(said.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_there_is_nothing_to_back_up_in_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "mes.db").touch()

    said = mes(
        "backup", "--database", url_of(tmp_path / "mes.db"), "--to", str(tmp_path)
    )

    assert said.code == 1
    assert "nothing of the engine's" in said.err
    assert [one.name for one in tmp_path.iterdir()] == ["mes.db"]


def test_a_drill_checks_everything_and_leaves_nothing(
    backup: Path, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    said = mes("restore", str(backup), "--verify", "--json", TMPDIR=str(scratch))

    assert said.code == 0, said.err
    assert said.plain["ok"]
    assert said.plain["facts"] == said.plain["seq"] > 0
    assert not list(scratch.iterdir())


def test_a_drill_finds_what_was_wrong_when_the_backup_was_taken(
    day: Path, tmp_path: Path
) -> None:
    wrong = a_backup(day, tmp_path / "copy.db")
    sql(wrong, "UPDATE job_order SET state = 'aborted' WHERE number = 1")
    changed(wrong, sha256=sha256(wrong.read_bytes()).hexdigest())

    said = mes("restore", str(wrong), "--verify")

    assert said.code == 1
    assert said.out.startswith("job_order.state JO-000001: ")


def _cut_off(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:-4096])


def _one_bit(backup: Path) -> None:
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 1
    backup.write_bytes(content)


def _no_manifest(backup: Path) -> None:
    Path(f"{backup}.json").unlink()


def _torn_manifest(backup: Path) -> None:
    Path(f"{backup}.json").write_text('{"format": 1')


def _gone(backup: Path) -> None:
    backup.unlink()


def _of_a_newer_schema(backup: Path) -> None:
    changed(backup, revision="9999", engine="99.0")


def _of_a_newer_format(backup: Path) -> None:
    changed(backup, format=2, engine="99.0")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_cut_off, "is not as it was written: its SHA-256"),
        (_one_bit, "is not as it was written: its SHA-256"),
        (_no_manifest, "A database that was copied as a file may lack"),
        (_torn_manifest, "manifest of"),
        (_gone, "There is no backup"),
        (_of_a_newer_schema, "Restore it with that version, or a later one"),
        (_of_a_newer_format, "Restore it with that version, or a later one"),
    ],
)
def test_what_is_no_whole_backup_is_not_restored(
    backup: Path, fresh: Path, config: Path, spoil: Spoil, told: str
) -> None:
    spoil(backup)

    said = restored(backup, fresh, config)

    assert (said.code, said.out) == (1, "")
    assert told in said.err
    assert not fresh.exists()


def test_what_is_no_whole_backup_does_not_stand_a_drill(backup: Path) -> None:
    _one_bit(backup)

    said = mes("restore", str(backup), "--verify")

    assert (said.code, said.out) == (1, "")
    assert "is not as it was written" in said.err


def test_a_backup_of_another_plant_is_not_restored(
    backup: Path, fresh: Path, tmp_path: Path
) -> None:
    said = restored(backup, fresh, a_config(tmp_path, site="OTHER"))

    assert (said.code, said.out) == (1, "")
    assert "is of the plant TEST; the configuration is of OTHER" in said.err
    assert not fresh.parent.exists()


@pytest.mark.parametrize("name", ["mes.db", "mes.db-wal", "mes.db-journal"])
def test_nothing_is_restored_over_what_is_there(
    backup: Path, fresh: Path, config: Path, name: str
) -> None:
    fresh.parent.mkdir()
    there = fresh.with_name(name)
    there.write_bytes(b"what was here")

    said = restored(backup, fresh, config)

    assert (said.code, said.out) == (1, "")
    assert f"There is a {there} already" in said.err
    assert there.read_bytes() == b"what was here"


def test_nothing_is_restored_beside_an_engine(
    backup: Path, fresh: Path, config: Path
) -> None:
    fresh.parent.mkdir()
    with sole_engine(url_of(fresh)):
        said = restored(backup, fresh, config)

    assert (said.code, said.out) == (3, "")
    assert "Another engine runs on" in said.err
    assert not fresh.exists()


def test_a_file_is_not_restored_to_a_server(backup: Path, config: Path) -> None:
    where = ("--database", "postgresql://here/mes", "--config", str(config))

    said = mes("restore", str(backup), *where)

    assert said.code == 1
    assert "is of a sqlite database" in said.err


def test_a_server_is_not_backed_up_without_its_client(tmp_path: Path) -> None:
    where = ("--database", "postgresql://here/mes", "--to", str(tmp_path))

    said = mes("backup", *where, PATH="/nowhere")

    assert said.code == 3
    assert "There is no pg_dump on this computer" in said.err
    assert "apt-get install postgresql-client" in said.err


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (["--until-seq", "3"], "only with --journal"),
        (["--journal", ".", "--until", "2026-11-23T10:31:00"], "has no time zone"),
        (["--journal", ".", "--until", "soon"], "is no time of ISO 8601"),
    ],
)
def test_a_moment_is_named_exactly(
    backup: Path, fresh: Path, config: Path, how: list[str], told: str
) -> None:
    said = restored(backup, fresh, config, *how)

    assert said.code == 2
    assert told in " ".join(said.err.split())


def test_a_folder_without_a_journal_is_none(
    backup: Path, fresh: Path, config: Path, tmp_path: Path
) -> None:
    said = restored(backup, fresh, config, "--journal", str(tmp_path))

    assert said.code == 1
    assert "There is no archive of a journal in" in said.err
    assert not fresh.exists()
