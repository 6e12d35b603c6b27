"""Blocks up to which the chain was read, which tell a node that is behind from a fork.

A follower knows them while it runs. These outlive the process: begun again on a node that is
behind, it would take what happened since for not having happened.
"""

from collections.abc import Callable

from tallystick.storage.sqlite_journal import SqliteJournal

HEADS = """
create table if not exists head (
    block integer primary key,
    hash blob not null
) strict;
"""
_NEWEST = 64
"""Kept, and the first one."""


class Heads:
    """Heads of a node's looks.

    Args:
        file: of the node's journal, with the table.
    """

    def __init__(self, file: SqliteJournal) -> None:
        self._file = file

    def behind(self, block: int, hash_of: Callable[[int], bytes]) -> int:
        """Return how many blocks a look is behind an earlier one; 0 where it is not, or of a fork.

        What is further is kept for the looks to come.

        Args:
            block: number of the last block that was read.
            hash_of: returns the hash that the node has for a block up to that one.
        """
        newest = self._file.read("select max(block) from head")[0][0]
        if newest is not None and block <= newest:
            common = self._file.read(
                "select block, hash from head where block <= ? order by block desc limit 1", block
            )
            if not common or hash_of(common[0][0]) == common[0][1]:
                return int(newest - block)
        with self._file.write(durable=False) as database:
            database.execute("delete from head where block >= ?", (block,))
            database.execute("insert into head values (?,?)", (block, hash_of(block)))
            # The first one stays: a chain that was begun anew differs there.
            database.execute(
                "delete from head where block != (select min(block) from head) and block not in"
                " (select block from head order by block desc limit ?)",
                (_NEWEST,),
            )
        return 0
