"""Cheaper models: a GGUF file's weights in a smaller format, everything else as it was."""

from pathlib import Path


def write_quantized(source: Path, target: Path, kind: str = "Q4_0") -> Path:
    """Write a file whose matrices of Q4_1 are of another kind, made from what Q4_1 has left.

    Args:
        source: GGUF.
        target: the file that is written.
        kind: of the matrices, as GGUF names it.
    """
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
    from gguf.quants import dequantize, quantize

    other = GGMLQuantizationType[kind]
    reader = GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = GGUFWriter(target, architecture)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        kinds = field.types
        of = kinds[1] if kinds[0] is GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kinds[0], sub_type=of)
    for tensor in reader.tensors:
        data, now = tensor.data, tensor.tensor_type
        if now is GGMLQuantizationType.Q4_1:
            data, now = quantize(dequantize(data, now), other), other
        writer.add_tensor(tensor.name, data, raw_dtype=now)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target
