"""Structured reference strings: which are a public ceremony's, by the hashes that EZKL publishes.

Source: https://github.com/zkonduit/ezkl, srs_sha.rs, SHA-256 of kzgK.srs for each K. Nothing
was fetched here: a file counts as a ceremony's when its hash is on the list.
"""

import hashlib
from pathlib import Path

PUBLIC = {
    10: "9705d450e5dfd06adb673705f7bc34418ec86339203198beceb2ae7f1ffefedb",
    11: "257fa566ed9bc0767d3e63e92b5e966829fa3347d320a32055dc31ee7d33f8a4",
    12: "28b151069f41abc121baa6d2eaa8f9e4c4d8326ddbefee2bd9c0776b80ac6fad",
    13: "d5d94bb25bdc024f649213593027d861042ee807cafd94b49b54f1663f8f267d",
    14: "c09129f064c08ecb07ea3689a2247dcc177de6837e7d2f5f946e30453abbccef",
    15: "90807800a1c3b248a452e1732c45ee5099f38b737356f5542c0584ec9c3ebb45",
    16: "2a1a494630e71bc026dd5c0eab4c1b9a5dbc656228c1f0d48f5dbd3909b161d3",
    17: "41509f380362a8d14401c5ae92073154922fe23e45459ce6f696f58607655db7",
    18: "d0148475717a2ba269784a178cb0ab617bc77f16c58d4a3cbdfe785b591c7034",
    19: "d1a1655b4366a766d1578beb257849a92bf91cb1358c1a2c37ab180c5d3a204d",
    20: "54ef75911da76d7a6b7ea341998aaf66cb06c679c53e0a88a4fe070dd3add963",
    21: "486e044cf98704e07f41137d2b89698dc03d1fbf34d13b60902fea19a6013b4b",
    22: "1ee9b4396db3e4e2516ac5016626ab6ba967f091d5d23afbdb7df122a0bb9d0c",
    23: "748e48b9b6d06f9c82d26bf551d0af43ee2e801e4be56d7ccb20312e267fd1d6",
}
"""SHA-256 of the ceremony's file, by K: it serves circuits of up to 2^K rows."""
LOCAL_CAUTION = (
    "the setup was made on one machine: whoever made it can forge proofs of this model, for test "
    "networks only"
)
TEST_CHAINS = frozenset(
    {1337, 31337, 11155111, 560048, 17000, 84532, 421614, 11155420, 80002, 10200}
)
"""Local chains, and public test networks: Sepolia, Hoodi, Holesky, those of Base, Arbitrum,
Optimism, Polygon and Gnosis."""


def sha256_of(file: Path) -> str:
    """Return a file's SHA-256 in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def is_public(sha256: str) -> bool:
    """Return whether a file of this hash is a public ceremony's."""
    return sha256 in PUBLIC.values()
