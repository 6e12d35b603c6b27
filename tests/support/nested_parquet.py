"""A Parquet file that ends the process which reads it: its schema is nested too deep."""


def nested(depth: int) -> bytes:
    """Return a file whose columns are so many groups deep."""

    def varint(number: int) -> bytes:
        found = b""
        while number > 0x7F:
            found += bytes([number & 0x7F | 0x80])
            number >>= 7
        return found + bytes([number])

    # SchemaElement: repetition_type (3) optional, name (4) "a", num_children (5) 1.
    group = b"\x35\x02\x18\x01a\x15\x02\x00"
    leaf = b"\x15\x02\x25\x02\x18\x01a\x00"
    root = b"\x48\x01a\x15\x02\x00"
    schema = b"\x19\xfc" + varint(depth + 2) + root + group * depth + leaf
    footer = b"\x15\x02" + schema + b"\x16\x00\x19\x0c\x00"
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
