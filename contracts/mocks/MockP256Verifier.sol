// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC7913P256Verifier} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913P256Verifier.sol";

/// @dev OpenZeppelin's verifier, deployable from this project.
contract MockP256Verifier is ERC7913P256Verifier {}
