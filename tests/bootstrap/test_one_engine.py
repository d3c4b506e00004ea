"""One engine a database; and a database that cannot be used is said in a sentence."""

import resource
from pathlib import Path

import pytest

from mes_engine.bootstrap import running_engine
from mes_engine.core.errors import SettingsError
from mes_engine.migrations import upgrade
from mes_engine.storage.lock import sole_engine
from tests.commands import CONFIG, Said, mes
from tests.databases import url_in
from tests.scenarios.site import running_site

RUN = ("run", "--config", str(CONFIG))


def run_on(url: str) -> Said:
    return mes(
        *RUN,
        MES_DATABASE_URL=url,
        MES_HTTP_PORT="0",
        MES_OPCUA_URL="opc.tcp://127.0.0.1:9/mes",
        MES_MODBUS_PORT="9",
    )


async def test_a_second_engine_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    async with running_engine(url_in(tmp_path)):
        with pytest.raises(SettingsError, match="Another engine runs on"):
            async with running_engine(url_in(tmp_path)):
                pass
        with pytest.raises(SettingsError, match="Another engine runs on"):
            async with running_engine(url_in(tmp_path)):
                pass

    async with running_engine(url_in(tmp_path)) as core:
        assert core.engine.is_accepting


def test_another_name_of_the_same_file_is_the_same_database(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(tmp_path)
    with (
        sole_engine(url_in(tmp_path)),
        pytest.raises(SettingsError, match="Another engine"),
        sole_engine(url_in(tmp_path / "other")),
    ):
        pass


async def test_beside_a_running_engine_one_may_look_and_no_more(tmp_path: Path) -> None:
    url = url_in(tmp_path)
    with running_site(tmp_path) as site:
        for refused in (run_on(url), mes("db", "upgrade", "--database", url)):
            assert (refused.code, refused.out) == (3, "")
            assert refused.err == (
                f"Another engine runs on {tmp_path / 'mes.db'}. "
                "End it first, or name another database.\n"
            )
        for look in (("verify",), ("db", "status")):
            assert mes(*look, "--database", url).code == 0
        site.kill()

    async with running_engine(url) as core:  # the lock died with the process
        assert core.engine.committed.seq


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere/mes.db", "No such file or directory"),
        ("a_file/mes.db", "Not a directory"),
        ("/sys/mes.db", "Permission denied"),
    ],
)
def test_where_no_database_can_be_is_said(
    tmp_path: Path, path: str, reason: str
) -> None:
    (tmp_path / "a_file").touch()

    said = run_on(f"sqlite:///{tmp_path / path}")

    assert (said.code, said.out) == (3, "")
    assert said.err == (
        f"The database {tmp_path / path} cannot be used: {reason}. Its folder has to "
        "exist, on a local disk with room, and be writable.\n"
    )


def test_a_disk_without_room_is_said(tmp_path: Path) -> None:
    """A limit of the size of files stands for the disk: a write fails either way."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, before[1]))
    try:
        with pytest.raises(SettingsError, match=r"cannot be used: disk I/O error\."):
            upgrade(url_in(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    upgrade(url_in(tmp_path))
