"""Metrics of nodes, as they are counted."""

from prometheus_client.metrics import MetricWrapperBase

from tallystick.node.metrics import Metrics

HEAD = """# Metrics

What a node tells Prometheus at its `metrics_port`, an operator's as a verifier's; a kind that does
not apply stays zero. [Nodes](../node.md) says what to watch of it.

| name | kind | labels | what |
| --- | --- | --- | --- |
"""


def page() -> str:
    """Return the page's text."""
    rows = []
    for one in vars(Metrics()).values():
        if isinstance(one, MetricWrapperBase):
            (family,) = one.describe()
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = ", ".join(f"`{label}`" for label in one._labelnames)
            rows.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return HEAD + "\n".join(rows) + "\n"
