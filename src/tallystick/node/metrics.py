"""Metrics of a node, for Prometheus."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PROOF_SECONDS = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)


class Metrics:
    """One process's numbers, operator's and verifier's; a kind that does not apply stays zero."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Both.
        self.lag = self._gauge("lag_blocks", "Blocks between the chain's head and what was read.")
        self.behind = self._gauge(
            "node_behind_blocks", "Blocks that the RPC node is behind the ledger."
        )
        self.failures = self._counter("failures", "What failed and is tried again.", "what")
        self.transactions = self._counter("transactions", "Sent and mined.", "function")
        self.gas = self._counter("gas_used", "Of transactions sent.", "function")
        # A verifier's.
        self.batches_seen = self._counter("batches_seen", "Commits of others read from the chain.")
        self.leaves = self._counter("leaves_reexecuted", "Inferences run again.")
        self.mismatches = self._counter("mismatches", "Re-executed leaves with another output.")
        self.doubtful = self._counter("leaves_doubtful", "Re-executed, neither good nor wrong.")
        self.doubtful_batches = self._counter("batches_doubtful", "Neither signed nor challenged.")
        self.flaws = self._counter("flaws", "Batches that break a rule.", "rule")
        self.audits = self._counter("audits_signed", "Audits signed.")
        self.demands = self._counter("demands_made", "Leaves demanded on chain.")
        self.challenges = self._gauge("challenges_open", "Disputes of this node not yet ruled on.")
        self.at_stake = self._gauge("money_at_stake", "Bonds put up, in units of the asset.")
        self.spent = self._gauge("spent_today", "Bonds and gas of the last 24 hours.")
        self.pool_seats = self._gauge("pool_seats", "Seats in the pool.")
        self.pool_audits = self._gauge("pool_audits", "Audits on chain that the key signed.")
        self.pool_rulings = self._gauge("pool_rulings", "Rulings on chain that the key signed.")
        self.pool_earned = self._gauge("pool_earned", "Fees earned, in units of the asset.")
        # An operator's.
        self.escrow = self._gauge("pool_escrow", "Escrow in the pool, in units of its asset.")
        self.inferences = self._counter("inferences_served", "Answers given.", "model")
        self.tokens = self._counter("tokens_generated", "Of language models' answers.", "model")
        self.generating = self._gauge("answers_generating", "Answers under way, queued or begun.")
        self.refused = self._counter("requests_refused", "Requests refused.", "status")
        self.over_quota = self._counter("over_quota", "Requests refused by a quota.", "quota")
        self.receipts = self._counter("receipts", "Receipts handed out.")
        self.committed = self._counter("inferences_committed", "Answers that the chain has.")
        self.waiting = self._gauge("inferences_waiting", "Answers that the chain has not yet.")
        self.expired = self._counter("inferences_expired", "Answers whose deadline was missed.")
        self.answered_demands = self._counter("demands_answered", "Leaves revealed on chain.")
        self.game_moves = self._counter("game_moves", "Moves of replay games on chain.", "move")
        self.stake_locked = self._gauge("stake_locked", "Stake behind the lane's open inferences.")
        self.proofs_queued = self._gauge("proofs_queued", "Answers that wait to be proven.")
        self.proving = self._gauge("proofs_proving", "Proofs that are being made.")
        self.proofs = self._counter("proofs", "Proofs made, or not to be made.", "outcome")
        self.proof_seconds = Histogram(
            "tallystick_proof_seconds",
            "From a proof's beginning to its end.",
            registry=self.registry,
            buckets=_PROOF_SECONDS,
        )
        self.pruned = self._counter("inferences_pruned", "Whose inputs and outputs are let go.")
        self.journal_size = self._gauge("journal_bytes", "Size of the journal's file.")
        self.first_token = Histogram(
            "tallystick_first_token_seconds",
            "From a language model's request to the first text of its answer.",
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.answering = Histogram(
            "tallystick_answer_seconds",
            "From a request's last byte to its answer.",
            registry=self.registry,
            buckets=_SECONDS,
        )

    def serve(self, host: str, port: int) -> tuple[Any, Any]:
        """Answer Prometheus in a thread; returns its server and the thread.

        Raises:
            OSError: the port is taken.
        """
        return start_http_server(port, host, self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"tallystick_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"tallystick_{name}", text, registry=self.registry)
