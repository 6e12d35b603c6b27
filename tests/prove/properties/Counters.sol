// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Lane, Outcome, Totals} from "../../../contracts/interfaces/Types.sol";
import {LaneLib} from "../../../contracts/libraries/LaneLib.sol";
import {Tally, TallyLib} from "../../../contracts/libraries/TallyLib.sol";
import {Logic} from "./Logic.sol";

/// @dev Fields of packed words never wrap nor carry into their neighbours.
contract Counters {
    using LaneLib for Lane;
    using TallyLib for Tally;

    uint256 private constant MASK = (1 << 51) - 1;

    Lane private _lane;
    Tally private _tally;

    /// @notice a commit moves a lane's open inferences and index, and no other bit; any lane, count 1 to 2^20,
    /// finalized <= open, and what commit enforces: open <= 2^48 - 1, index < 2^44.
    function check_laneAdvance(Lane memory lane, uint256 count, uint256 finalized) public {
        if (count == 0 || count > 1 << 20 || finalized > lane.openInferences) return;
        if (uint256(lane.openInferences) + count - finalized > LaneLib.MAX_OPEN || lane.nextIndex >= 1 << 44) return;
        _lane = lane;
        _lane.advance(count, finalized);
        assert(_lane.openInferences == uint256(lane.openInferences) + count - finalized);
        assert(_lane.nextIndex == lane.nextIndex + 1);
        assert(_lane.stake == lane.stake && _lane.admitted == lane.admitted && _lane.closed == lane.closed);
        _end();
    }

    /// @notice a rejection takes min(slash, stake) and min(count, open) off a lane, and no other bit; any lane, any
    /// 32-bit count, any 128-bit slash.
    function check_laneForfeit(Lane memory lane, uint32 count, uint128 slash) public {
        _lane = lane;
        uint256 forfeited = _lane.forfeit(count, slash);
        assert(forfeited == Logic.min(slash, lane.stake));
        assert(_lane.stake == lane.stake - forfeited);
        assert(_lane.openInferences == lane.openInferences - Logic.min(count, lane.openInferences));
        assert(_lane.nextIndex == lane.nextIndex && _lane.admitted == lane.admitted && _lane.closed == lane.closed);
        _end();
    }

    /// @notice finality takes the count off open inferences, and no other bit; any lane, count <= open.
    function check_laneRelease(Lane memory lane, uint32 count) public {
        if (count > lane.openInferences) return;
        _lane = lane;
        _lane.release(count);
        assert(_lane.openInferences == lane.openInferences - count && _lane.stake == lane.stake);
        assert(_lane.nextIndex == lane.nextIndex && _lane.admitted == lane.admitted && _lane.closed == lane.closed);
        _end();
    }

    /// @notice a commit adds to committed and to one outcome, refuses to pass 2^51 - 1, and carries into no other
    /// counter; any counters with outcomes + open <= committed.
    function check_tallyCommit(Tally memory tally, uint256 committed, uint8 outcome, uint256 count, uint256 open)
        public
    {
        Totals memory old = _start(tally, outcome, count, open);
        if (committed > 1 << 20) return;
        _tally.commit(0, committed, Outcome(outcome), count);
        old.committed += committed;
        assert(old.committed <= MASK);
        _compare(old, outcome, count);
    }

    /// @notice finality adds to one outcome and carries into no other counter; any counters with outcomes + open <=
    /// committed.
    function check_tallyFinalize(Tally memory tally, uint8 outcome, uint256 count, uint256 open) public {
        Totals memory old = _start(tally, outcome, count, open);
        _tally.finalize(Outcome(outcome), count);
        _compare(old, outcome, count);
    }

    /// @notice a loss adds to rejected and burned and carries into no other counter; any counters with outcomes + open
    /// <= committed, burned < 2^153, a loss below 2^129.
    function check_tallyLosses(Tally memory tally, uint256 rejected, uint256 burned, uint256 open) public {
        Totals memory old = _start(tally, 0, rejected, open);
        if (burned >= 1 << 129 || old.burned >= 1 << 153) return;
        _tally.addLosses(rejected, burned);
        old.rejected += rejected;
        old.burned += burned;
        assert(_tally.burnedOf() == old.burned);
        _compare(old, 0, 0);
    }

    /// @dev Outcomes and open inferences are committed ones; `count` of the open ones get an outcome.
    function _start(Tally memory tally, uint8 outcome, uint256 count, uint256 open)
        private
        returns (Totals memory old)
    {
        _tally = tally;
        old = _tally.read();
        if (outcome > 4 || open > old.committed || count > open || count > 1 << 20) _stop();
        if (_outcomes(old) + open > old.committed) _stop();
    }

    function _compare(Totals memory old, uint8 outcome, uint256 count) private view {
        Totals memory now_ = _tally.read();
        unchecked {
            uint256 wrong = old.committed ^ now_.committed;
            wrong |= (old.unchallenged + Logic.times(outcome == 0, count)) ^ now_.unchallenged;
            wrong |= (old.audited + Logic.times(outcome == 1, count)) ^ now_.audited;
            wrong |= (old.enclave + Logic.times(outcome == 2, count)) ^ now_.enclave;
            wrong |= (old.proven + Logic.times(outcome == 3, count)) ^ now_.proven;
            wrong |= (old.unresolved + Logic.times(outcome == 4, count)) ^ now_.unresolved;
            wrong |= old.rejected ^ now_.rejected;
            wrong |= old.burned ^ now_.burned;
            assert(wrong == 0);
        }
        _end();
    }

    function _outcomes(Totals memory t) private pure returns (uint256) {
        return t.unchallenged + t.audited + t.enclave + t.proven + t.rejected + t.unresolved;
    }

    /// @dev Gives up a path on which an assumption does not hold.
    function _stop() private pure {
        revert();
    }

    function _end() internal pure virtual {}
}

contract CountersReached is Counters {
    function _end() internal pure override {
        assert(false);
    }
}
