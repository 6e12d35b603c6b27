"""tallystick totals, measures, requesters: what a data folder says."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from tallystick.cli.brief import SPARE, Brief, Column, counters, short, wide_option
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.human import amount
from tallystick.cli.options import data_option, output_options, since_option, until_option
from tallystick.cli.output import write, write_tables
from tallystick.protocol.hexes import from_hex


@click.command(cls=ConsoleCommand, example="tallystick totals --by operator --by day --format csv")
@data_option
@click.option(
    "--by",
    type=click.Choice(["operator", "model", "day"]),
    multiple=True,
    help="Split further; may be given several times.",
)
@click.option(
    "--specs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of specs' texts: tell audits by equal answers from those within a tolerance.",
)
@since_option
@until_option
@wide_option
@output_options
def totals(
    data: Path,
    by: tuple[str, ...],
    specs: Path | None,
    since: date | None,
    until: date | None,
    wide: bool,
    form: str,
    output: Path | None,
) -> None:
    """Show each network's counters, in inferences; verified = audited + enclave + proven.

    Totals of different networks do not add up: one work may be committed in several. Audited merges
    what was audited under different specs; with --specs each spec has a row of its own.
    """
    from tallystick.data.analysis import Analysis
    from tallystick.data.specs import known_specs

    if by and specs:
        raise click.UsageError("--specs splits by spec alone; leave --by out")
    analysis = Analysis(data)
    if specs:
        _write(analysis, analysis.evidence(known_specs(specs), since, until), form, output)
    else:
        rows = analysis.totals(by, since, until).to_pylist()
        if form == "table" and output is None and not wide:
            _brief(analysis, rows, by).show(rows)
            _told(analysis)
        else:
            _write(analysis, rows, form, output)
    first, last = analysis.period()
    if (since and since >= last) or (until and until <= first):
        click.echo(
            f"no event is of these days; the events are of {first} to before {last}", err=True
        )


@click.command(cls=ConsoleCommand, example="tallystick measures")
@data_option
@output_options
def measures(data: Path, form: str, output: Path | None) -> None:
    """Show what each network's numbers rest on: resolvers, stake, what a fake costs, demand, gas.

    What is self-declared stands in a table of its own, without a rank; below it why. The other
    formats name each condition that is not met (unmet, listed in docs/data.md).

    A price is in the smallest units of the network's asset, or "gas only". A table has the price
    of each grade below it, with the sentence that it rests on; the other formats have all beside.
    """
    from tallystick.data.analysis import Analysis
    from tallystick.data.totals.ranking import NONE_RANKED

    analysis = Analysis(data)
    rows = analysis.measures().to_pylist()
    if form == "table":
        write_tables(_groups(rows), output)
        for line in _sentences(rows):
            click.echo(line, err=output is not None)
    else:
        _write(analysis, rows, form, output)
    if all(row["unranked_because"] for row in rows):
        click.echo(NONE_RANKED, err=True)


@click.command(cls=ConsoleCommand, example="tallystick requesters")
@data_option
@output_options
def requesters(data: Path, form: str, output: Path | None) -> None:
    """Show inferences per requester, as far as batch data were collected."""
    from tallystick.data.analysis import Analysis

    analysis = Analysis(data)
    _write(analysis, analysis.requesters().to_pylist(), form, output)


def _brief(analysis: Any, rows: Sequence[Mapping[str, Any]], by: Sequence[str]) -> Brief:
    assets = {key: from_hex(row["rules_asset"]) for key, row in analysis.networks().items()}
    columns = {"network": Column("network", lambda row: row["name"] or short(row["network_id"]))}
    for one in by:
        columns[one] = {
            "operator": Column("operator", lambda row: short(row["operator"])),
            "model": Column("model", lambda row: short(row["model_id"])),
            "day": Column("day", lambda row: str(row["day"])),
        }[one]
    columns |= counters(rows)
    if any(row["burned"] for row in rows):
        columns["burned"] = Column(
            "burned", lambda row: amount(row["burned"], assets[_key(row)]), right=True
        )
    return Brief(columns, "network", ("burned", *SPARE))


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["chain_id"], row["address"], row["network_id"]


def _groups(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a table by its heading; the ranked ones in the order of their ranks."""
    ranked = sorted((row for row in rows if row["rank"]), key=lambda row: row["rank"])
    others = [row for row in rows if not row["rank"]]
    declared = [row for row in others if row["resolvers"] == "self-declared"]
    rest = [row for row in others if row["resolvers"] != "self-declared"]
    groups = {"ranked": ranked, "self-declared": declared, "without a rank": rest}
    return {name: [_short(row) for row in some] for name, some in groups.items()}


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a row a table has room for, next to ids in full."""
    left = ("standing_", "price_", "resolver_names", "convictable", "unranked_", "unmet", "owner_")
    return {
        name: value
        for name, value in row.items()
        if name == "price_of_a_fake" or not name.startswith(left)
    }


def _sentences(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield why a network has no rank, and what its prices rest on."""
    from tallystick.data.totals.prices import BECAUSE, PRICED

    for row in rows:
        yield f"\nnetwork {row['network_id']}"
        if row["unranked_because"]:
            yield f"  no rank: {row['unranked_because']}"
        for name in PRICED:
            if row[f"price_{name}"] is not None:
                yield f"  {name}, {row[f'price_{name}']}: {row[f'price_{name}{BECAUSE}']}"


def _write(
    analysis: Any, rows: Sequence[Mapping[str, Any]], form: str, output: Path | None
) -> None:
    write(rows, form, output)
    _told(analysis)


def _told(analysis: Any) -> None:
    """Say on stderr what was left out, and what the rows rest on."""
    if strangers := analysis.strangers():
        events = sum(one["events"] for one in strangers)
        click.echo(
            f"left out: {events} events of {len(strangers)} networks that no event registers; "
            "`tallystick reconcile` asks the registry about them",
            err=True,
        )
    for held in analysis.coverage:
        click.echo(
            f"rests on {held.rows} events of {held.contract.folder}, blocks {held.first_block} to "
            f"{held.last_block}",
            err=True,
        )
