"""A deployment that is recorded."""

from web3 import Web3

from tallystick.chain import deployments
from tallystick.chain.deploy import create2_address, deploy, is_deployed
from tallystick.chain.deployments import Deployment
from tallystick.cli.session import Session
from tallystick.hexes import checksummed, to_hex


def deploy_recorded(session: Session, name: str, code: bytes) -> None:
    """Deploy unless it is there, record it in deployments/<chain id>.json, and print where."""
    w3, address = session.w3, create2_address(code)
    chain_id = w3.eth.chain_id
    known = [e for e in deployments.read(chain_id, session.folder) if e.address_bytes == address]
    there = is_deployed(w3, address)
    if session.dry_run:
        session.show({"contract": name, "address": address, "deployed": there, "dry_run": True})
        return
    sent = None if there else deploy(w3, session.sender, code)[1]
    code_hash = to_hex(bytes(w3.keccak(w3.eth.get_code(Web3.to_checksum_address(address)))))
    if sent is None and known:
        entry = known[0]
    else:
        # Somebody else's deployment may have events from any block on.
        entry = Deployment(
            name,
            checksummed(address),
            sent.block_number if sent else 0,
            to_hex(sent.tx_hash) if sent else "",
            code_hash,
        )
        deployments.record(chain_id, entry, session.folder)
    session.show(
        {
            "contract": name,
            "address": address,
            "new": sent is not None,
            "block": entry.block,
            "code_hash": code_hash,
            "recorded": str(session.folder / f"{chain_id}.json"),
        }
    )
