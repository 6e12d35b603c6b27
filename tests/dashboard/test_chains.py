"""Chains on the page are named as evmchains, which is installed with Ape, names them."""

import re

from evmchains.chains import PUBLIC_CHAIN_META

from tallystick.dashboard.app import PAGE
from tallystick.dashboard.chains import NAMES, SYMBOLS

ROW = re.compile(r'^  (\d+): \["(.*)", "(.*)", "(.*)"\],$', re.MULTILINE)


def test_chains__each_of_the_page__is_as_in_evmchains() -> None:
    known = {chain["chainId"]: chain for of in PUBLIC_CHAIN_META.values() for chain in of.values()}
    rows = ROW.findall((PAGE / "chains.js").read_text().partition("const LOCAL")[0])

    assert len(rows) > 10
    for number, name, symbol, site in rows:
        chain = known[int(number)]
        assert (name, symbol) == (chain["name"], chain["nativeCurrency"]["symbol"])
        assert site in [one["url"] for one in chain["explorers"]]
        assert chain["nativeCurrency"]["decimals"] == 18


def test_symbols__each__is_the_pages() -> None:
    text = (PAGE / "chains.js").read_text()
    shown = {int(number): symbol for number, _, symbol, _ in ROW.findall(text)}

    assert shown | {31337: "ETH"} == SYMBOLS


def test_names__each__is_the_pages() -> None:
    text = (PAGE / "chains.js").read_text()
    shown = {int(number): name for number, name, _, _ in ROW.findall(text)}

    assert shown | {31337: "Local chain"} == NAMES
