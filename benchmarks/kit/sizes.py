"""How much an order writes: bytes of each table with its indexes, and of the write-ahead log."""

from dataclasses import dataclass

from tests.support.stack import Stack

_TABLES = """
    SELECT relname, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
_LOG = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
LEAST_SHOWN = 1.0  # bytes an order


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes by table, and of the log since the server was made. Nobody else may write meanwhile."""

    tables: dict[str, int]
    log: int

    def since(self, before: "Sizes", count: int) -> dict[str, float]:
        """Return the bytes each of `count` has added, the largest first; `log` is the log."""
        grown = {
            name: (size - before.tables.get(name, 0)) / count for name, size in self.tables.items()
        }
        largest = sorted(grown.items(), key=lambda pair: -pair[1])
        shown = {name: size for name, size in largest if size >= LEAST_SHOWN}
        return {**shown, "log": (self.log - before.log) / count}


def sizes(stack: Stack) -> Sizes:
    """Return the sizes now."""
    tables = {str(name): int(str(size)) for name, size in stack.rows(_TABLES)}
    return Sizes(tables, int(str(stack.value(_LOG))))
