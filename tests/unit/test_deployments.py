"""deployments.py: a recorded deployment is found from any folder, the nearest one first."""

from pathlib import Path

import pytest

from tallystick.chain import deployments
from tallystick.chain.deployments import Deployment, DeploymentError

CHAIN, PRIVATE = 11155111, 31337


def deployed(digit: str, name: str = "Tallystick") -> Deployment:
    return Deployment(name, "0x" + digit * 40, 5, "0x" + "22" * 32, "0x" + "33" * 32)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two working folders, the first of them the current one, of a user with a data folder."""
    monkeypatch.delenv("TALLYSTICK_DEPLOYMENTS", raising=False)
    monkeypatch.setenv("TALLYSTICK_HOME", str(tmp_path / "home"))
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    monkeypatch.chdir(here)
    return here, there


def test_find__recorded_elsewhere__is_found_from_any_folder(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = deployments.record(CHAIN, deployed("1"))
    monkeypatch.chdir(folders[1])

    assert file == Path("deployments") / f"{CHAIN}.json"
    assert (folders[0] / file).exists() and not (folders[1] / file).exists()
    assert deployments.find(CHAIN) == deployed("1")


def test_find__another_one_here__goes_before_the_users_latest(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployments.record(CHAIN, deployed("1"))
    monkeypatch.chdir(folders[1])
    deployments.record(CHAIN, deployed("2"))
    monkeypatch.chdir(folders[0])

    assert deployments.find(CHAIN) == deployed("1")
    assert {one.address for one in deployments.read(CHAIN)} == {
        deployed("1").address,
        deployed("2").address,
    }


def test_record__private_chain__stays_in_its_folder(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployments.record(PRIVATE, deployed("1"))
    assert deployments.find(PRIVATE) == deployed("1")
    monkeypatch.chdir(folders[1])

    with pytest.raises(DeploymentError, match=r"recorded in deployments/31337\.json; run"):
        deployments.find(PRIVATE)


def test_find__nothing_recorded__names_both_files(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    home = tmp_path / "home" / "deployments" / f"{CHAIN}.json"
    with pytest.raises(DeploymentError, match=f"in deployments/{CHAIN}.json or {home}; run"):
        deployments.find(CHAIN)


def test_find__folder_named__is_the_only_one(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployments.record(CHAIN, deployed("1"))
    monkeypatch.setenv("TALLYSTICK_DEPLOYMENTS", str(tmp_path / "named"))

    assert deployments.read(CHAIN) == []
    assert deployments.record(CHAIN, deployed("2")) == tmp_path / "named" / f"{CHAIN}.json"
    assert deployments.read(CHAIN) == [deployed("2")]
    monkeypatch.delenv("TALLYSTICK_DEPLOYMENTS")
    assert deployments.read(CHAIN) == [deployed("1")]


def test_record__home_cannot_be_written__is_recorded_here(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("no folder")

    deployments.record(CHAIN, deployed("1"))

    assert deployments.find(CHAIN) == deployed("1")


def test_read__users_file_of_another_version__is_named(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "home" / "deployments" / f"{CHAIN}.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 2, "deployments": []}')

    with pytest.raises(DeploymentError, match=f"{path}: list of deployments of format version 2"):
        deployments.read(CHAIN)
