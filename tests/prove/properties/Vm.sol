// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev The cheat codes of halmos that the properties use.
interface Vm {
    function assume(bool condition) external pure;
    function deal(address account, uint256 amount) external;
    function etch(address account, bytes calldata code) external;
    function getCode(string calldata path) external view returns (bytes memory);
    function load(address account, bytes32 slot) external view returns (bytes32);
    function prank(address sender) external;
    function roll(uint256 number) external;
    function setArbitraryStorage(address account) external;
    function store(address account, bytes32 slot, bytes32 value) external;
    function warp(uint256 time) external;
}

Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
