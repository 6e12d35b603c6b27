"""What the site has beside the files of docs/: pages made from the sources themselves.

tutorial        the README's tour
reference/      Python by name, contracts and events by NatSpec, metrics as nodes count them
source/         files outside docs/ that a page links to, as text
"""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from posixpath import join, normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from pygments.formatters import HtmlFormatter

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MADE = {
    "tutorial.md": "tutorial.py",
    "reference/python.md": "python.py",
    "reference/contracts.md": "contracts.py",
    "reference/events.md": "events.py",
    "reference/metrics.md": "metrics.py",
}
"""Pages, and the scripts beside this one that tell their text."""
ENDED = {"worker.js", "main.js"}
"""What the search plugin brings and the page's policy would not let run."""
_LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s:#]+)(#[^)\s]*)?\)")

_NAMED_FENCE = re.compile(r"^(```\w+) +(\S+)$", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Have headings' anchors be what code hosts make of them."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = _anchor
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and what they and docs/ link to outside."""
    for path, script in MADE.items():
        text = runpy.run_path(str(HERE / script))["page"]()
        files.append(File.generated(config, path, content=text))
    for name in sorted({name for file in files.documentation_pages() for name in _outside(file)}):
        path, text = _source(name), (ROOT / name).read_text()
        if not name.endswith(".md"):
            text = f"# {name}\n\n" + "\n".join(f"    {line}" for line in text.splitlines())
        file = File.generated(config, path, content=text)
        file.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(file)
    # An index lists the pages below it.
    for file in files.documentation_pages():
        if re.match(r"(decisions|networks)/(?!README)", file.src_uri):
            file.inclusion = InclusionLevel.NOT_IN_NAV
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Have links to files outside docs/ lead to their text, and files' names stand above them."""
    here = page.file.src_uri
    if here.startswith("source/") and not (ROOT / here.removeprefix("source/")).exists():
        # Code; its text stands under names of its own in what is searched.
        page.meta["search"] = {"exclude": True}

    def there(match: re.Match[str]) -> str:
        words, target, anchor = match[1], match[2], match[3] or ""
        if here.startswith("source/"):
            # A text of the root, whose links are as seen from there.
            name = normpath(join("/", here.removeprefix("source/"), "..", target)).lstrip("/")
        else:
            name = _named(here, target)
            if not name.startswith("../"):
                return match[0]
            name = name[3:]
        page = name.removeprefix("docs/") if name.startswith("docs/") else _source(name)
        if files.get_file_from_path(page) is not None:
            return f"{words}({relpath(page, join(here, '..'))}{anchor})"
        # Folders, and what only such a text links to, have no page.
        return words[1:-1] if (ROOT / name).exists() else match[0]

    return _LINK.sub(there, _NAMED_FENCE.sub(r"`\2`\n\n\1", markdown))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Have what may be wider than the page be scrolled by the keyboard too."""
    return re.sub(r"<(pre|table)>", r'<\1 tabindex="0">', html)


def on_post_build(config: MkDocsConfig) -> None:
    """Write the colours of code; take out scripts that no page uses."""
    site = Path(config.site_dir)
    light = HtmlFormatter(style="default", cssclass="codehilite").get_style_defs(".codehilite")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".codehilite")
    (site / "code.css").write_text(f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n")
    for name in ENDED:
        (site / "search" / name).unlink()


def _anchor(text: str, separator: str) -> str:
    return re.sub(r"[^\w -]", "", text.lower()).replace(" ", separator)


def _named(page: str, target: str) -> str:
    """A link's target as seen from docs/."""
    return normpath(join(page, "..", target))


def _outside(file: File) -> Iterator[str]:
    for _, target, _ in _LINK.findall(file.content_string):
        name = _named(file.src_uri, target)
        if name.startswith("../") and (ROOT / name[3:]).is_file():
            yield name[3:]


def _source(name: str) -> str:
    return f"source/{name}" if name.endswith(".md") else f"source/{name}.md"
