"""A deployment that is recorded, and compared with its sources."""

from pathlib import Path

from web3 import Web3

from tallystick.chain import deployments
from tallystick.chain.abi import contract
from tallystick.chain.deploy import create2_address, deploy, deployment, is_deployed
from tallystick.chain.deployments import Deployment
from tallystick.chain.standard_input import standard_input
from tallystick.chain.verification import (
    VerificationError,
    compile_standard_input,
    differences,
)
from tallystick.cli.session import Session
from tallystick.protocol.hexes import checksummed, to_hex


def deploy_recorded(session: Session, name: str, code: bytes) -> None:
    """Deploy unless it is there, record it (see chain.deployments), and print where.

    The compiler's standard JSON input, for explorers and Sourcify, is written beside the record.
    """
    w3, address = session.w3, create2_address(code)
    chain_id = w3.eth.chain_id
    known = [e for e in deployments.read(chain_id) if e.address_bytes == address]
    there = is_deployed(w3, address)
    if session.dry_run:
        session.show({"contract": name, "address": address, "deployed": there, "dry_run": True})
        return
    sent = None
    if not there:
        sent = deploy(w3, session.sender, code)[1]
    elif session.is_noted(deployment(code)):
        # An earlier run was stopped before it recorded its deployment.
        sent = session.sender.send(deployment(code))
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
    file = deployments.record(chain_id, entry)
    session.show(
        {
            "contract": name,
            "address": address,
            "new": sent is not None,
            "block": entry.block,
            "code_hash": code_hash,
            "recorded": str(file),
            "standard_input": str(write_standard_input(file.parent, name)),
            "compiler": standard_input(name).compiler,
            "constructor_arguments": to_hex(code[len(contract(name).bytecode) :]),
        }
    )


def check_deployed(session: Session, name: str, code: bytes) -> None:
    """Compile the packaged sources, compare them with what is on chain, and print the result.

    Raises:
        VerificationError: something differs, or there is no compiler.
    """
    address, sources = create2_address(code), standard_input(name)
    packaged = contract(name).bytecode
    on_chain = bytes(session.w3.eth.get_code(Web3.to_checksum_address(address)))
    if not on_chain:
        raise VerificationError(f"{name} is not at {checksummed(address)}: there is no code")
    compiled = compile_standard_input(sources)
    if wrong := differences(compiled, packaged, on_chain):
        raise VerificationError(f"{name} at {checksummed(address)}: {'; '.join(wrong)}")
    session.show(
        {
            "contract": name,
            "address": address,
            "compiler": sources.compiler,
            "sources": len(sources.content["sources"]),
            "constructor_arguments": to_hex(code[len(packaged) :]),
            "agrees": True,
        }
    )


def write_standard_input(folder: Path, name: str) -> Path:
    """Write <name>.standard-input.json and return its path; the same on each chain."""
    path = folder / f"{name}.standard-input.json"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(str(standard_input(name)))
    return path
