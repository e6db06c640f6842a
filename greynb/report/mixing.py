"""A fast mix of codes to 64 bits, for hashes that need only tell whether something is the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]


def mix(words: Words) -> Words:
    """The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def mixed(codes: npt.NDArray[np.uint8]) -> Words:
    """Mix each code of 17 bytes, a letter and two little-endian words, to one word."""
    words = np.ascontiguousarray(codes[:, 1:]).view("<u8").astype(np.uint64)
    return mix(words[:, 0] ^ mix(words[:, 1] ^ codes[:, 0].astype(np.uint64)))
