// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Refuses transfers to 0x...dEaD.
contract BurnRefusingToken is ERC20("Refusing", "REF") {
    error BurnRefused();

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(to != 0x000000000000000000000000000000000000dEaD, BurnRefused());
        super._update(from, to, amount);
    }
}
