"""HdrHistograms as they lie in a log: what slot means which value, and decoding many at once.

The format is HdrHistogram's V2: an 8-byte cookie and length, then a zlib stream of a 40-byte header and the slots'
counts as ZigZag LEB128 numbers, a negative number standing for so many empty slots. A 20-minute record has 14,000
histograms of 2,000 counts each: one numpy pass over many of them at once is what makes judging it a matter of seconds.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COMPRESSED_COOKIE = 0x1C849304
PLAIN_COOKIE = 0x1C849303
WORD_SIZE_BITS = 0xF0  # of the cookies; V2 does not use them
OUTER_HEADER = struct.Struct(">II")  # cookie, length of the zlib stream
INNER_HEADER = struct.Struct(">IIIIQQd")  # cookie, length, index offset, digits, lowest, highest, conversion ratio
LARGEST_PLAIN_BYTES = 4 * 1024 * 1024  # a histogram of ours has 17,408 slots; more than this is damage
LAST_SLOT = (1 << 16) - 1  # above all slots that 64-bit values need at three digits
LONGEST_NUMBER_OCTETS = 4  # no second has 67 million requests in one slot


class HistogramUnreadable(ValueError):
    """One encoded histogram is damaged or of another kind than golive writes."""


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """The non-empty slots of many histograms, end to end.

    `row` says which histogram an entry belongs to, `slot` which of its slots, `count` what is in it.
    """

    row: NDArray[np.int32]
    slot: NDArray[np.int32]
    count: NDArray[np.int32]


def highest_values(slots: NDArray[np.integer], *, digits: int) -> NDArray[np.int64]:
    """The largest value that each slot stands for, so that a value is never understated (lowest trackable value 1).

    The first 2·10^digits values, rounded up to a power of two, have a slot each; from there each doubling has half as
    many slots, each twice as wide (HdrHistogram, "recording").
    """
    half = half_count(digits)
    index = slots.astype(np.int64)
    doubling = np.maximum(index // half - 1, 0)
    step = index - doubling * half
    highest: NDArray[np.int64] = ((step + 1) << doubling) - 1
    return highest


def half_count(digits: int) -> int:
    """How many slots each doubling of the value has."""
    largest_single = int(2 * 10**digits)
    return 1 << ((largest_single - 1).bit_length() - 1)


def plain_counts(encoded: str | bytes, *, digits: int) -> bytes:
    """The ZigZag LEB128 numbers inside one encoded histogram. Raises HistogramUnreadable."""
    try:
        wrapped = base64.b64decode(encoded, validate=True)
        cookie, length = OUTER_HEADER.unpack_from(wrapped)
        stream = zlib.decompressobj()
        plain = stream.decompress(wrapped[OUTER_HEADER.size :], LARGEST_PLAIN_BYTES)
        inner = INNER_HEADER.unpack_from(plain)
    except (binascii.Error, struct.error, zlib.error, ValueError) as damage:
        raise HistogramUnreadable(str(damage)) from None
    if cookie & ~WORD_SIZE_BITS != COMPRESSED_COOKIE or length != len(wrapped) - OUTER_HEADER.size or not stream.eof:
        raise HistogramUnreadable("it is not a whole compressed V2 histogram")
    _check_header(inner, digits)
    counts = plain[INNER_HEADER.size :]
    if inner[1] != len(counts) or (counts and counts[-1] >= 0x80):
        raise HistogramUnreadable("its counts are cut off")
    return counts


def _check_header(inner: tuple[int | float, ...], digits: int) -> None:
    cookie, _, offset, has_digits, lowest, _, ratio = inner
    if int(cookie) & ~WORD_SIZE_BITS != PLAIN_COOKIE:
        raise HistogramUnreadable("it is not of HdrHistogram's V2 form")
    if (offset, has_digits, lowest, ratio) != (0, digits, 1, 1.0):
        raise HistogramUnreadable(f"it counts from {lowest} in {has_digits} digits; golive's count from 1 in {digits}")


def has_larger_counts(plains: Sequence[bytes]) -> bool:
    """Whether any of these histograms holds a number of more octets than `decode_counts` reads."""
    goes_on = np.frombuffer(b"".join(plains), dtype=np.uint8) >= 0x80
    for _ in range(LONGEST_NUMBER_OCTETS - 1):
        goes_on = goes_on[1:] & goes_on[:-1] if len(goes_on) else goes_on
    # Octets that go on do not follow each other across two histograms: each ends in one that does not.
    return bool(goes_on.any())


def decode_counts(plains: Sequence[bytes]) -> Slots:
    """The slots of many histograms, from the numbers that `plain_counts` gave, none with larger counts.

    Most numbers are one octet long and stay in an octet for as long as they can: this is where judging spends its time.
    """
    octets = np.frombuffer(b"".join(plains), dtype=np.uint8)
    is_last = octets < 0x80
    numbers = _numbers(octets, is_last)
    # A ZigZag number that is odd is negative: -n skips n empty slots. Any other fills one slot, with 0 as well.
    is_skip = (numbers & 1).astype(np.bool_)
    after = np.cumsum(np.where(is_skip, (numbers + 1) >> 1, 1), dtype=np.int64)
    filled = np.flatnonzero(~is_skip & (numbers > 0))
    ends_by = _numbers_by_the_end_of_each(plains, is_last)
    filled_by = np.searchsorted(filled, ends_by)
    per_row = np.diff(filled_by, prepend=0)
    before_row = np.concatenate(([0], after))[np.concatenate(([0], ends_by[:-1]))]
    slot = after[filled] - 1 - np.repeat(before_row[: len(plains)], per_row)
    return Slots(
        row=np.repeat(np.arange(len(plains), dtype=np.int32), per_row),
        # What lies beyond every possible slot (a foreign writer's) stands at the last: never understated.
        slot=np.minimum(slot, LAST_SLOT).astype(np.int32),
        count=numbers[filled] >> 1,
    )


def _numbers(octets: NDArray[np.uint8], is_last: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The LEB128 numbers of a buffer, as they are (not yet ZigZag decoded)."""
    is_first = np.concatenate((np.ones(1, np.bool_), is_last[:-1])) if len(is_last) else is_last
    first = octets[is_first]
    numbers = (first & 0x7F).astype(np.int32)
    longer, at = np.flatnonzero(first >= 0x80), np.flatnonzero(is_first & ~is_last)
    for place in range(1, LONGEST_NUMBER_OCTETS):
        at = at + 1
        numbers[longer] |= (octets[at] & 0x7F).astype(np.int32) << (7 * place)
        goes_on = octets[at] >= 0x80
        longer, at = longer[goes_on], at[goes_on]
    return numbers


def _numbers_by_the_end_of_each(plains: Sequence[bytes], is_last: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many numbers there are up to the end of each histogram."""
    lengths = np.array([len(plain) for plain in plains], dtype=np.int64)
    within = np.zeros(len(plains), dtype=np.int64)
    if len(is_last):
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))[lengths > 0]
        within[lengths > 0] = np.add.reduceat(is_last, starts, dtype=np.int64)
    return np.cumsum(within)
