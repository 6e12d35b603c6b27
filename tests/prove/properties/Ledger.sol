// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Lane, Totals} from "../../../contracts/interfaces/Types.sol";
import {Registry} from "./Registry.sol";
import {Logic} from "./Logic.sol";
import {Storage} from "./Storage.sol";
import {vm} from "./Vm.sol";

/// @dev What an action may change, and the rules that every action keeps: the inductive step of each. An action starts in any
/// state that keeps them, and so they hold after any sequence of actions.
abstract contract Ledger is Registry {
    using Logic for bool;

    uint256 internal constant MOST_BURNED = 1 << 153;
    uint256 internal constant MOST_CREDIT = 1 << 200;

    /// @dev Any account, lane and slot: what holds of these holds of all.
    struct Probe {
        address asset;
        address account;
        bytes32 networkId;
        address operator;
        uint32 slot;
    }

    struct Books {
        Lane lane; // of the scene's operator
        Totals totals; // of the scene's network
        uint256 swept;
        uint256 balance; // of the registry
        bytes32 word; // of the scene's slot
        uint256 credit; // from here on: what the probe names
        Lane anyLane;
        Totals anyTotals;
        uint256 anySwept;
        bytes32 anyWord;
    }

    /// @dev What an action does, in units of the network's asset, in inferences, and to the slot's word.
    struct Change {
        uint256 paid; // from the sender's credit
        address payee;
        uint256 reward; // to the payee's credit
        address party;
        uint256 refund; // to the party's credit
        uint256 staked;
        uint256 slashed; // from the stake, also what is unstaked
        uint256 burned;
        uint256 bondBefore;
        uint256 bondAfter;
        uint256 received; // by the registry
        uint256 sent; // by the registry
        uint256 swept; // of what was burned
        uint256 opened; // inferences
        uint256 closed; // inferences
        uint256 batches; // committed
        Totals counted; // but burned
        bytes32 word; // after
    }

    function _before(Scene memory scene, Probe memory probe) internal view returns (Books memory books) {
        vm.assume(registry.ownerOf(probe.networkId) != address(0));
        books = this.read(scene, probe);
        (Lane memory lane, Totals memory totals) = (books.lane, books.totals);
        vm.assume(books.credit < MOST_CREDIT);
        _bound(scene, scene.sender);
        _bound(scene, scene.batch.operator);
        _bound(scene, scene.dispute.party);
        vm.assume(totals.burned < MOST_BURNED && books.swept <= totals.burned);
        // The stake covers what is open; what is open was committed, and has no outcome.
        unchecked {
            vm.assume(lane.stake >= _locked(scene, lane));
            vm.assume(_outcomes(totals) + lane.openInferences <= totals.committed);
        }
    }

    function _bound(Scene memory scene, address account) private view {
        vm.assume(Storage.credit(registry, scene.rules.asset, account) < MOST_CREDIT);
    }

    function read(Scene calldata scene, Probe calldata probe) external view returns (Books memory books) {
        books.lane = Storage.lane(registry, NETWORK, scene.batch.operator);
        books.totals = Storage.totals(registry, NETWORK);
        books.swept = Storage.swept(registry, NETWORK);
        books.balance = _balance();
        books.word = _word(scene);
        books.credit = Storage.credit(registry, probe.asset, probe.account);
        books.anyLane = Storage.lane(registry, probe.networkId, probe.operator);
        books.anyTotals = Storage.totals(registry, probe.networkId);
        books.anySwept = Storage.swept(registry, probe.networkId);
        books.anyWord = Storage.word(registry, probe.networkId, probe.operator, probe.slot);
    }

    /// @dev The action did what `change` says and nothing else, and that keeps the rules. A property's twin asserts here
    /// that no action comes so far.
    function _after(Scene memory scene, Probe memory probe, Books memory old, Change memory change)
        internal
        view
        virtual
    {
        Books memory now_;
        try this.read(scene, probe) returns (Books memory found) {
            now_ = found;
        } catch {
            assert(false);
        }
        unchecked {
            _checkSums(change);
            assert(now_.balance == old.balance + change.received - change.sent);
            _checkCredit(scene, probe, old, now_, change);
            _checkLane(old.lane, now_.lane, change);
            _checkLocked(scene, old.lane, change);
            _checkCounters(old, now_, change);
            assert(now_.word == change.word);
            _checkElsewhere(scene, probe, old, now_);
        }
    }

    /// @dev credits + stakes + bonds + unswept burns grow as the balance does; committed grows as open + outcomes.
    function _checkSums(Change memory c) private pure {
        unchecked {
            uint256 more = c.reward + c.refund + c.staked + c.bondAfter + c.burned;
            uint256 less = c.paid + c.slashed + c.bondBefore + c.swept;
            assert(more - less == c.received - c.sent);
            assert(c.counted.committed == c.opened && _outcomes(c.counted) == c.closed);
        }
    }

    function _checkCredit(Scene memory scene, Probe memory probe, Books memory old, Books memory now_, Change memory c)
        private
        pure
    {
        bool asset = Logic.equal(probe.asset, scene.rules.asset);
        bool sender = Logic.equal(probe.account, scene.sender);
        unchecked {
            uint256 expected = old.credit + asset.and(Logic.equal(probe.account, c.payee)).times(c.reward)
                + asset.and(Logic.equal(probe.account, c.party)).times(c.refund) - asset.and(sender).times(c.paid);
            assert(now_.credit == expected);
        }
        assert(sender.or(now_.credit >= old.credit));
    }

    function _checkLane(Lane memory old, Lane memory lane, Change memory c) private pure {
        unchecked {
            uint256 wrong = (uint256(old.stake) + c.staked - c.slashed) ^ lane.stake;
            wrong |= (uint256(old.openInferences) + c.opened - c.closed) ^ lane.openInferences;
            wrong |= (uint256(old.nextIndex) + c.batches) ^ lane.nextIndex;
            assert(wrong == 0);
            assert(old.admitted == lane.admitted && old.closed == lane.closed);
        }
    }

    /// @dev After _checkLane: the lane is as the change says.
    function _checkLocked(Scene memory scene, Lane memory old, Change memory c) private pure {
        unchecked {
            uint256 open = uint256(old.openInferences) + c.opened - c.closed;
            assert(uint256(old.stake) + c.staked - c.slashed >= uint256(scene.rules.stakePerInference) * open);
        }
    }

    function _checkCounters(Books memory old, Books memory now_, Change memory c) private pure {
        (Totals memory was, Totals memory is_, Totals memory more) = (old.totals, now_.totals, c.counted);
        unchecked {
            uint256 wrong = (was.committed + more.committed) ^ is_.committed;
            wrong |= (was.unchallenged + more.unchallenged) ^ is_.unchallenged;
            wrong |= (was.audited + more.audited) ^ is_.audited;
            wrong |= (was.enclave + more.enclave) ^ is_.enclave;
            wrong |= (was.proven + more.proven) ^ is_.proven;
            wrong |= (was.rejected + more.rejected) ^ is_.rejected;
            wrong |= (was.unresolved + more.unresolved) ^ is_.unresolved;
            assert(wrong == 0);
            wrong = (was.burned + c.burned) ^ is_.burned;
            wrong |= (old.swept + c.swept) ^ now_.swept;
            assert(wrong == 0);
        }
    }

    function _checkElsewhere(Scene memory scene, Probe memory probe, Books memory old, Books memory now_) private pure {
        bool here = probe.networkId == NETWORK;
        uint256 moved = here.not().times((old.anySwept ^ now_.anySwept) | _unlike(old.anyTotals, now_.anyTotals));
        here = here.and(Logic.equal(probe.operator, scene.batch.operator));
        moved |= here.not().times(_unlike(old.anyLane, now_.anyLane));
        here = here.and(probe.slot == scene.stamp.slot());
        moved |= here.not().times(uint256(old.anyWord ^ now_.anyWord));
        assert(moved == 0);
    }

    function _unlike(Lane memory a, Lane memory b) private pure returns (uint256) {
        return (a.stake ^ b.stake) | (a.openInferences ^ b.openInferences) | (a.nextIndex ^ b.nextIndex);
    }

    function _unlike(Totals memory a, Totals memory b) private pure returns (uint256) {
        return (a.committed ^ b.committed) | (a.unchallenged ^ b.unchallenged) | (a.audited ^ b.audited)
            | (a.enclave ^ b.enclave) | (a.proven ^ b.proven) | (a.rejected ^ b.rejected)
            | (a.unresolved ^ b.unresolved) | (a.burned ^ b.burned);
    }

    function _locked(Scene memory scene, Lane memory lane) internal pure returns (uint256) {
        unchecked {
            return uint256(scene.rules.stakePerInference) * lane.openInferences;
        }
    }

    function _outcomes(Totals memory t) internal pure returns (uint256) {
        unchecked {
            return t.unchallenged + t.audited + t.enclave + t.proven + t.rejected + t.unresolved;
        }
    }

    /// @dev Of the registry, in the network's asset; in coins unless a property is about another.
    function _balance() internal view virtual returns (uint256) {
        return address(registry).balance;
    }

    /// @dev stakePerInference * open inferences, split where one batch ends: true of all numbers, and hard for a solver.
    function _splitLocked(Scene memory scene, uint256 open, uint256 count) internal pure {
        uint256 each = scene.rules.stakePerInference;
        unchecked {
            vm.assume(each * open == each * count + each * (open - count));
            vm.assume(each * count < 1 << 117);
            vm.assume(each * open < 1 << 144);
            vm.assume(each * (open - count) < 1 << 144);
        }
    }

    /// @dev The one counter that the state byte names grows by the batch's count.
    function _count(Totals memory t, uint256 stateByte, uint256 count) internal pure {
        bool lapsed = stateByte & 8 > 0;
        t.unresolved = lapsed.times(count);
        t.unchallenged = lapsed.not().and(stateByte >> 4 == 0).times(count);
        t.audited = lapsed.not().and(stateByte >> 4 == 1).times(count);
        t.enclave = lapsed.not().and(stateByte >> 4 == 2).times(count);
        t.proven = lapsed.not().and(stateByte >> 4 == 3).times(count);
    }
}
