// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Emits what Arbius' engine emits, in whatever order it is told to.
contract Arbius {
    event TaskSubmitted(bytes32 indexed id, bytes32 indexed model, uint256 fee, address indexed sender);
    event SolutionSubmitted(address indexed addr, bytes32 indexed task);
    event SolutionClaimed(address indexed addr, bytes32 indexed task);
    event ContestationSubmitted(address indexed addr, bytes32 indexed task);
    event ContestationVote(address indexed addr, bytes32 indexed task, bool yea);
    event ContestationVoteFinish(bytes32 indexed id, uint32 indexed start_idx, uint32 end_idx);
    event Initialized(uint8 version);

    function initialize(uint8 version) external {
        emit Initialized(version);
    }

    function submitTask(bytes32 id, uint256 fee, address sender) external {
        emit TaskSubmitted(id, keccak256("model"), fee, sender);
    }

    function submitSolution(bytes32 task, address solver) external {
        emit SolutionSubmitted(solver, task);
    }

    function claimSolution(bytes32 task, address solver) external {
        emit SolutionClaimed(solver, task);
    }

    function contest(bytes32 task, address contester) external {
        emit ContestationSubmitted(contester, task);
        emit ContestationVote(contester, task, true);
    }

    function vote(bytes32 task, address voter, bool yea) external {
        emit ContestationVote(voter, task, yea);
    }

    function finish(bytes32 task, uint32 first, uint32 last) external {
        emit ContestationVoteFinish(task, first, last);
    }
}
