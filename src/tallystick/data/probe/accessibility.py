"""Accessibility of networks from a probe log: answered / asked."""

import ibis
import ibis.expr.types as ir

NETWORK = ("chain_id", "core", "network_id")
"""Key of a network in a log."""


def accessibility(probes: ir.Table, begin: float, end: float) -> ir.Table:
    """Return, for each network asked in a period, how often it answered and how soon.

    Args:
        probes: a log's table (`ProbeLog.read`), or one of its schema in any of Ibis's engines.
        begin: Unix seconds; probes that began then or later.
        end: Unix seconds; probes that began before.

    Returns:
        Ordered by chain_id, core, network_id, with them: asked and answered (probes), accessibility
        (from 0 to 1), p50_seconds and p95_seconds to the last byte of what was answered,
        interpolated, null when nothing was. A network that nobody asked has no row.

    >>> from tallystick.data.probe.log import SCHEMA
    >>> accessibility(ibis.memtable(SCHEMA.empty_table()), 0, 60).columns
    ('chain_id', 'core', 'network_id', 'asked', 'answered', 'accessibility', 'p50_seconds', \
'p95_seconds')
    """
    asked = probes.filter(probes.time >= begin, probes.time < end)
    # Of what wasn't answered the seconds are null, which a quantile passes over.
    seconds = asked.seconds_to_last_byte
    return (
        asked.group_by(*NETWORK)
        .agg(
            asked=ibis._.count(),
            answered=ibis._.answered.sum(),
            accessibility=ibis._.answered.mean(),
            p50_seconds=seconds.quantile(0.5),
            p95_seconds=seconds.quantile(0.95),
        )
        .order_by(*NETWORK)
    )
