"""Tensors of GGUF files by the package gguf: read by name, or written beside another's head."""

from pathlib import Path
from typing import Any

from tallystick.errors import ModelRefusedError


def read_tensors(file: Path) -> dict[str, Any]:
    """Return a file's tensors by name: gguf's ReaderTensor, their data mapped.

    Args:
        file: whose head `read_gguf` has taken.

    Raises:
        ModelRefusedError: they lie outside of the file, or are of a type that gguf has not.
        OSError: it cannot be read.
    """
    from gguf import GGUFReader

    try:
        return {one.name: one for one in GGUFReader(file).tensors}
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise ModelRefusedError(file.name, f"its tensors can't be read: {error}") from error


def copy_head(source: Path, target: Path) -> Any:
    """Return a gguf.GGUFWriter of a file with another's metadata; tensors are to be added.

    Args:
        source: GGUF.
        target: the file that `write_all` writes.
    """
    from gguf import GGUFReader, GGUFValueType, GGUFWriter

    fields = GGUFReader(source).fields
    writer = GGUFWriter(target, fields["general.architecture"].contents())
    for field in fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        kinds = field.types
        of = kinds[1] if kinds[0] is GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kinds[0], sub_type=of)
    return writer


def write_all(writer: Any) -> None:
    """Write head and tensors of a gguf.GGUFWriter, and close its file."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
