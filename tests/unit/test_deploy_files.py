"""Files of deploy/: what they name exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tallystick.node.metrics import Metrics
from tallystick.node.settings import Settings

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DURATION = re.compile(r"^[0-9]+(ms|s|m|h|d|w|y)$")


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    assert set(group) == {"name", "rules"}
    return list(group["rules"])


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_alerts__each_rule__is_one_that_prometheus_takes(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch("Tallystick[A-Za-z]+", rule["alert"])
    assert DURATION.match(rule.get("for", "0s"))
    assert rule["labels"]["severity"] in {"page", "warn", "info"}
    assert set(rule["annotations"]) == {"summary", "description"}
    assert rule["expr"].count("(") == rule["expr"].count(")")


def test_alerts__metrics__are_those_of_a_node() -> None:
    metrics = Metrics()
    shown = {sample for one in metrics.registry.collect() for sample in _samples(one)}

    for rule in rules():
        for name in re.findall(r"\btallystick_\w+", rule["expr"]):
            assert name in shown, f"{rule['alert']} asks for {name}, which no node shows"


def test_alerts__labels__are_those_of_the_metric() -> None:
    for rule in rules():
        for name, label in re.findall(r"\b(tallystick_\w+)\{(\w+)=", rule["expr"]):
            kinds = {one.name: one for one in Metrics().registry.collect()}
            family = name.removesuffix("_total")
            source = (ROOT / "src" / "tallystick" / "node" / "metrics.py").read_text()
            short = family.removeprefix("tallystick_")
            assert family in kinds and re.search(rf'"{short}",[^)]*"{label}"\)', source)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_units__keys__are_of_systemd_and_settings_exist(path: Path) -> None:
    text = path.read_text()

    sections = re.findall(r"^\[(\w+)\]$", text, re.MULTILINE)
    assert sections == ["Unit", "Service", "Install"]
    for section, field in re.findall(r"TALLYSTICK_NODE_(\w+?)__(\w+)=", text):
        assert field.lower() in _fields(section)
    assert "User=tallystick" in text and "NoNewPrivileges=yes" in text


def test_dockerfile__what_it_copies_and_sets__exists() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()

    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    assert copied
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
    allowed = (ROOT / ".dockerignore").read_text()
    for name in " ".join(copied).split():
        assert f"!{name.split('/')[0]}\n" in allowed, f"{name} is kept from the build"
    for section, field in re.findall(r"TALLYSTICK_NODE_(\w+?)__(\w+)=", text):
        assert field.lower() in _fields(section)
    targets = set(re.findall(r" AS (\w+)$", text, re.MULTILINE))
    assert {"operator", "verifier", "page"} <= targets


def _fields(section: str) -> set[str]:
    annotation = Settings.model_fields[section.lower()].annotation
    kinds = [annotation, *getattr(annotation, "__args__", ())]
    return {name for kind in kinds for name in getattr(kind, "model_fields", {})}


def _samples(family: Any) -> set[str]:
    # A metric with labels shows no sample before its first.
    ends = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    return {family.name + end for end in ends[family.type]}
