"""Settings: a file, the environment before it, and one line for what is wrong."""

from pathlib import Path

import pytest

from tallystick.node.errors import SettingsError
from tallystick.node.settings import LogLevel, Settings

YAML = """
common:
  registry: "0x{registry}"
  log_level: debug
operator:
  network_id: "0x{network}"
  models:
  - id: "0x{network}"
    file: model.qi8
    runner: qi8
    traced: true
""".format(registry="aa" * 20, network="11" * 32)

TOML = f"""
[verifier]
networks = ["{"11" * 32}"]
workers = 2
broker = "redis://localhost"
spending_cap_per_day = 5
"""


def written(folder: Path, text: str, name: str = "node.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_load__yaml_and_environment__environment_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYSTICK_NODE_OPERATOR__PORT", "81")
    monkeypatch.setenv("TALLYSTICK_NODE_COMMON__LOG_LEVEL", "error")

    settings = Settings.load(written(tmp_path, YAML))

    own = settings.need_operator()
    assert settings.common.registry == b"\xaa" * 20
    assert settings.common.log_level is LogLevel.ERROR
    assert (own.port, own.network_id, own.models[0].traced) == (81, b"\x11" * 32, True)
    assert own.max_inferences == 64
    with pytest.raises(SettingsError, match="no verifier section"):
        settings.need_verifier()


def test_load__toml__typed(tmp_path: Path) -> None:
    settings = Settings.load(written(tmp_path, TOML, "node.toml"))

    own = settings.need_verifier()
    assert (own.networks, own.workers, own.spending_cap_per_day) == ([b"\x11" * 32], 2, 5)
    with pytest.raises(SettingsError, match="no operator section"):
        settings.need_operator()


def test_load__environment_alone__is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSTICK_NODE_VERIFIER__STORES", '["a", "b"]')

    assert Settings.load().need_verifier().stores == ["a", "b"]


@pytest.mark.parametrize(("text", "read"), [("never", "never"), ("86400", 86400.0)])
def test_load__prune_after__seconds_or_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, read: float | str
) -> None:
    file = written(tmp_path, YAML)
    assert Settings.load(file).need_operator().prune_after == 30 * 86400
    monkeypatch.setenv("TALLYSTICK_NODE_OPERATOR__PRUNE_AFTER", text)

    assert Settings.load(file).need_operator().prune_after == read


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("common:\n  registry: 0xaa", "0xaa has to be in quotes"),
        ('common:\n  registry: "0xaa"', "common.registry: hex text is 1 bytes; needed: 20 bytes"),
        ("common:\n  colour: red", "node.yaml, line 2: unknown key colour; known: account, "),
        ("common:\n  poll_every: 0", "common.poll_every: Input should be greater than 0"),
        ("verifier:\n  workers: 2", "verifier.workers is more than 1; needed: broker"),
        (YAML.replace("runner: qi8", "runner: onnx"), "only a qi8 runner can be traced"),
        (YAML.replace("models:", "modell:"), "line 7: unknown key modell; did you mean models?"),
        (YAML + "  commit_every: 1 fortnight", "line 12: operator.commit_every: it is '1 fortni"),
        (YAML + "  prune_after: -1", "operator.prune_after"),
        (YAML + "  prune_after: sometimes", "operator.prune_after"),
        ("- 1", "line 1: not a mapping of keys to values"),
        ("a: [", "line 1: not YAML: expected the node content"),
    ],
)
def test_load__wrong__names_the_first_field(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(written(tmp_path, text))

    assert reason in str(caught.value) and "\n" not in str(caught.value)


def test_load__no_file__one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.load(tmp_path / "none.yaml")
