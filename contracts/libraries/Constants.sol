// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @dev Most inferences in a batch; a leaf's index fits in 20 bits of an unsolicited leaf's nonce.
uint256 constant MAX_COUNT = 1 << 20;

/// @dev Highest index of a batch: an unsolicited leaf's nonce, index << 20 | leafIndex, has 64 bits.
uint256 constant MAX_INDEX = (1 << 44) - 1;

/// @dev Most input and output bytes that a demand may ask for: a reveal of so many fits a transaction of Nitro's (95,000
/// bytes) and of geth's pool (131,072), at up to 96 gas a byte also the 2^24 gas of EIP-7825.
uint256 constant MAX_BYTES = 90_000;

/// @dev Longest window of a network's rules, in seconds.
uint256 constant MAX_WINDOW = 365 days;

/// @dev From closesAt until a commit may take the slot over, in seconds: time to archive the batch.
uint256 constant ARCHIVE_DELAY = 1 hours;

/// @dev A reward is at most this many challenge bonds, so that convicting oneself does not pay.
uint256 constant REWARD_BONDS = 16;

/// @dev Where burned amounts go on sweep.
address constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;
