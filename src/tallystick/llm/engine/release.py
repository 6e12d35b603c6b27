"""Builds of llama.cpp that the declarations fit; any other is refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kernel(StrEnum):
    """Classes of CPU kernels: within one, logits are the same to the bit."""

    AVX2 = "avx2"
    AVX512 = "avx512"


@dataclass(frozen=True)
class Release:
    """One build, as its package has it."""

    package: str
    """Registry, name and version."""
    llama_version: str
    ggml_version: str
    ggml_commit: str
    libllama: str
    """Files, by name within one folder."""
    libggml: str
    ggml_base: str
    kernels: Mapping[Kernel, str]
    """The library of each class; the same one as `libllama` where it is built in."""
    sha256: Mapping[str, str]
    """Of each file that is loaded, in hex."""
    later_fields: str = ""
    """Declaration of what llama_context_params has here before its booleans."""
    goldens: Mapping[Kernel, str] = field(default_factory=dict)
    """Hash of the self-test's logits with SmolLM2, in hex."""

    def files(self, kernel: Kernel) -> tuple[str, str, str, str]:
        """Return the libraries that answers depend on, as an exact spec lists them."""
        return (self.libllama, self.libggml, self.ggml_base, self.kernels[kernel])


GOLDENS = {
    Kernel.AVX2: "371b487eb22b432f10906464bc30ab43574ec920415c887e2115e61a763a55e4",
    Kernel.AVX512: "c76e62dfca3b0e8b33d82e617cdee01af96e5cc34430bfc61c3460b26a45d440",
}
"""Computed on an Intel Xeon of family 6, model 207 (Sapphire Rapids), glibc 2.36: AVX2 by the npm
package's libraries haswell and alderlake and by xllamacpp, AVX-512 by skylakex and icelake.
"""

_HASWELL = "libggml-cpu-haswell.so"
_SKYLAKEX = "libggml-cpu-skylakex.so"
PINNED = Release(
    package="npm @node-llama-cpp/linux-x64 3.22.1",
    llama_version="0.5.0-dev",
    ggml_version="0.25.1",
    ggml_commit="0ad4a86",
    libllama="libllama.v0.5.0.so",
    libggml="libggml.v0.5.0.so",
    ggml_base="libggml-base.so",
    kernels={Kernel.AVX2: _HASWELL, Kernel.AVX512: _SKYLAKEX},
    sha256={
        "libllama.v0.5.0.so": "2ecd1d85f68456573a664106a9039366b88231579fd65d9669c9a6ab41374fd4",
        "libggml.v0.5.0.so": "41cd5e6ad78b9f0af31a6f80d637d3168e75ff84db14c495de4d3d9c95607444",
        "libggml-base.so": "6c342c8aeb20cb31a18099d6f79de4de6703814d1cfd5c4d754a8643087e486e",
        _HASWELL: "ddaa96012769f0e86e8670cca374243751880bea2c2d0a4413b3a1b7a29dca74",
        _SKYLAKEX: "df30b40a957175cd8e462e8838632dc51e3be7570b27b9526cb7a044263aeab3",
    },
    goldens=GOLDENS,
)
"""The build that operators run."""

_XLLAMACPP = "xllamacpp.abi3.so"
SECOND = Release(
    package="PyPI xllamacpp 2026.10.11549",
    llama_version="0.6.0-dev",
    ggml_version="0.26.0",
    ggml_commit="unknown",
    libllama=_XLLAMACPP,
    libggml=_XLLAMACPP,
    ggml_base=_XLLAMACPP,
    kernels={Kernel.AVX2: _XLLAMACPP},
    sha256={_XLLAMACPP: "78dcbbfcc861ee3377554325dc12864829a76ec3de6f1882886d4a82a2def7f5"},
    later_fields="void * unused;",
    goldens=GOLDENS,
)
"""Another build of another release, for a second opinion: its kernels are AVX2's alone."""
