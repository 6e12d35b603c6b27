"""The public API's docstrings, as `tallystick` names what they are of."""

from tallystick import _HOMES

HEAD = """# Python, by name

What the package `tallystick` names; [examples](../python.md) show how it is used.
"""


def page() -> str:
    """Return the page's text."""
    parts = [HEAD]
    for home, names in _HOMES.items():
        parts += [f"## {home}\n", *(f"::: tallystick.{home}.{name}\n" for name in names)]
    errors = "    options:\n      show_root_heading: false\n      show_root_toc_entry: false\n"
    return "\n".join([*parts, "## errors\n", "::: tallystick.errors\n" + errors])
