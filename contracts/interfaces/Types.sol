// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Stamp} from "../libraries/StampLib.sol";

/// @dev What a slot holds, and what a view can say of a batch. `Unknown` is also the state of a slot never used.
enum State {
    Unknown, // the chain cannot tell: never committed, or its slot was overwritten and it was not archived
    Open, // counted as committed; its window may be over, but nobody has finalized it yet
    Disputed, // challenged or demanded; the dispute says which
    Final, // counted in its network's tally for good
    Rejected // counted as rejected for good
}

/// @dev Kind of evidence behind a batch, ascending. Only `attest` raises it.
enum Grade {
    Unchallenged, // nobody may have looked: not verified
    Audited, // staked verifiers re-executed a random sample and signed
    Enclave, // signed by a key bound to an approved enclave measurement
    Proven // zk proofs of every leaf were checked on chain
}

/// @dev The counter a batch moves when it becomes final. The first four are the grades, in the same order.
enum Outcome {
    Unchallenged,
    Audited,
    Enclave,
    Proven,
    Unresolved // an arbiter once failed to rule on it, or disputes outlasted its life
}

/// @dev Why a batch was rejected.
enum Cause {
    None,
    Ruling, // the arbiter ruled against a challenged leaf
    Disproof, // a leaf was proved wrong at once
    Timeout, // a demand stayed unanswered
    Order, // two leaves out of order, or equal
    Repeat, // a (requester, nonce) that an earlier batch of the lane holds
    Deadline // a leaf's deadline outside [committedAt, committedAt + challengeWindow / 2]
}

/// @dev An arbiter's answer. `Undecided` never changes a batch.
enum Ruling {
    Undecided,
    Upheld, // the operator was right
    Rejected // the operator was wrong
}

enum DisputeKind {
    None,
    Challenge, // an arbiter must rule on a leaf
    Demand // the operator must reveal a leaf
}

/// @dev Immutable rules of a network; hashed into its id. Amounts in units of `asset`, windows in seconds.
struct Rules {
    address asset; // ERC-20, or zero for the native coin; rebasing tokens unsupported
    address[3] attestors; // of Audited, Enclave, Proven; zero: the grade is not to be had
    address arbiter; // zero: no challenge
    uint96 stakePerInference; // locked for each inference until final or rejected; zero: unbacked
    uint96 challengeBond; // > 0 with an arbiter
    uint96 demandBond; // goes to the operator who answers
    uint32 maxBytes; // input and output bytes together that a demand may ask for, up to 90,000; zero: none
    uint32 challengeWindow; // from commit
    uint32 responseWindow; // to answer a demand; also left after any dispute; <= challengeWindow / 2
    uint32 rulingWindow; // to rule on a challenge
    bool permissionless; // anyone may be operator and register models; else the owner admits and registers
    bool solicited; // every inference needs a requester's signature
}

/// @dev What commits to a batch: batchId = keccak256(abi.encode(batch)).
struct Batch {
    bytes32 networkId;
    address operator;
    uint48 index; // the batch's number in its lane, from zero
    bytes32 modelId;
    bytes32 root;
    uint32 count; // 1 to 2^20 inferences
    uint64 commitDeadline; // Unix seconds; the smallest deadline of its leaves
}

/// @dev A pending challenge or demand; part of a disputed slot's pre-image.
struct Dispute {
    DisputeKind kind;
    bool withBytes; // a demand for input and output bytes too
    address party; // the challenger or demander, owner of the bond
    uint32 leafIndex;
    uint40 due; // Unix seconds; the last second to resolve or reveal; opened rulingWindow or responseWindow earlier
    bytes32 leaf; // the challenged leaf; zero in a demand
}

/// @dev Everything a slot's word is the hash of. `dispute` is all zero unless the batch is disputed.
struct PreImage {
    Batch batch;
    Stamp stamp;
    Dispute dispute;
}

/// @dev One inference: leaf = EIP-712 hashStruct of it.
struct Inference {
    bytes32 modelId;
    address operator;
    address requester; // zero: nobody signed, unsolicited
    uint64 nonce; // unique per requester and lane; unsolicited: batch index << 20 | leaf index
    uint64 deadline; // Unix seconds; the latest commit the requester accepts
    bytes32 inputHash; // keccak256 of the canonical input bytes
    bytes32 outputHash; // keccak256 of the canonical output bytes
    bytes32 traceRoot; // zero unless a replay tier needs it
}

/// @dev What a leaf adds to its batch: an Inference without modelId and operator, which are the batch's.
struct Leaf {
    address requester;
    uint64 nonce;
    uint64 deadline;
    bytes32 inputHash;
    bytes32 outputHash;
    bytes32 traceRoot;
}

/// @dev A leaf opened against its batch's root.
struct Opening {
    Leaf leaf;
    uint256 leafIndex;
    bytes32[] proof; // exactly ceil(log2(count)) siblings, from the leaf up
}

/// @dev Arguments of `commit`. `replacedId` and `replacedStamp` are read only over a finalizable batch.
struct Commitment {
    bytes32 networkId;
    bytes32 modelId;
    bytes32 root;
    uint48 index; // must be the lane's next
    uint32 slot; // where its word goes
    uint32 count;
    uint64 commitDeadline; // Unix seconds; too late after it
    bytes32 replacedId; // batchId of the finalizable batch in that slot, or zero
    Stamp replacedStamp;
}

/// @dev What names an undisputed batch of a known lane.
struct BatchRef {
    bytes32 batchId;
    Stamp stamp;
}

/// @dev An operator's standing in a network; one storage word.
struct Lane {
    uint128 stake; // units of the network's asset
    uint48 openInferences; // neither final nor rejected; each locks stakePerInference
    uint48 nextIndex; // of the next batch
    bool admitted; // by the owner; needed unless the network is permissionless
    bool closed; // by the owner, to new commits only
}

/// @dev Rules without the array: in memory, a word for each of abi.encode(rules).
struct Terms {
    address asset;
    address auditor; // attestor of Audited
    address enclave; // attestor of Enclave
    address prover; // attestor of Proven
    address arbiter;
    uint96 stakePerInference;
    uint96 challengeBond;
    uint96 demandBond;
    uint32 maxBytes;
    uint32 challengeWindow;
    uint32 responseWindow;
    uint32 rulingWindow;
    bool permissionless;
    bool solicited;
}

/// @dev What commit must know of a model and its network; one storage word, copied at registration.
struct ModelTerms {
    uint96 stakePerInference;
    uint32 challengeWindow; // seconds; zero: not registered
    bool permissionless;
}

/// @dev A network's counters, in inferences, but `burned` in units of the asset. They only grow.
struct Totals {
    uint256 committed;
    uint256 unchallenged;
    uint256 audited;
    uint256 enclave;
    uint256 proven;
    uint256 rejected;
    uint256 unresolved;
    uint256 burned;
}

/// @dev What the chain can say of a batch; all zero but the state where that is Unknown. Of a lapsed batch the grade
/// reads Unchallenged: it counts as unresolved.
struct Status {
    State state;
    Grade grade;
    bool lapsed; // an arbiter once failed to rule on it, or disputes outlasted its life
    Cause cause; // of a rejection
    uint32 leafIndex; // the leaf that convicted it, by a ruling, a disproof or a fault; or was demanded in vain
    uint32 count; // inferences
    uint40 committedAt; // Unix seconds
}

/// @dev What an attestor is told of a batch.
struct BatchFacts {
    Batch batch;
    uint40 committedAt; // Unix seconds
    uint40 committedBlock;
    uint40 closesAt; // Unix seconds
}
