"""Cheaper models: a GGUF file's weights in a smaller format, everything else as it was."""

from pathlib import Path

from tallystick.llm.gguf_tensors import copy_head, read_tensors, write_all


def write_quantized(source: Path, target: Path, kind: str = "Q4_0") -> Path:
    """Write a file whose matrices of Q4_1 are of another kind, made from what Q4_1 has left.

    Args:
        source: GGUF.
        target: the file that is written.
        kind: of the matrices, as GGUF names it.
    """
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize, quantize

    other = GGMLQuantizationType[kind]
    writer = copy_head(source, target)
    for name, tensor in read_tensors(source).items():
        data, now = tensor.data, tensor.tensor_type
        if now is GGMLQuantizationType.Q4_1:
            data, now = quantize(dequantize(data, now), other), other
        writer.add_tensor(name, data, raw_dtype=now)
    write_all(writer)
    return target
