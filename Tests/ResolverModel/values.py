"""Values and text as §1.2, §1.5 and §2.1 define them. A value's identity is its canonical bytes, so Python's own
`1 == 1.0 == True` decides nothing anywhere in this model."""

from __future__ import annotations

import datetime
import functools
import json
import re
from decimal import Decimal
from typing import Any, Dict, List, Optional, Tuple

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
MAX_VALUE_BYTES, MAX_DEPTH = 512 * 1024, 64

Timestamp = Tuple[int, int]


class Refused(Exception):
    """An input that a rule refuses. `field` is the name that the error has to mention, where a rule names one."""

    def __init__(self, rule: str, why: str, field: Optional[str] = None):
        super().__init__(f"{rule}: {why}")
        self.rule, self.field = rule, field


def canonical(value: Any) -> bytes:
    """§2.1: fields sorted by bytes (code point order is UTF-8 byte order), no spaces, minimal escapes."""
    try:
        return _ENCODER.encode(value).encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("§2.1", "a lone surrogate is no text") from None


def parse(text: str, shortest: bool = False) -> Any:
    """§2.1: ints are 64 bit and doubles finite, -0.0 is 0.0, a repeated field is refused. With `shortest` a double has
    to be written with the fewest digits that read back as the same, and never as -0.0."""
    try:
        return (_STRICT_DECODER if shortest else _DECODER).decode(text)
    except (ValueError, RecursionError) as error:
        raise Refused("§2.1", str(error)) from None


@functools.lru_cache(maxsize=65536)
def value_of(text: bytes) -> Any:
    """The value with these canonical bytes. Shared: nobody may change it."""
    return parse(text.decode("utf-8"))


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((depth(item) for item in inner), default=0)


def is_number(value: Any) -> bool:
    """§3.7: booleans are no numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def read_timestamp(text: Any, logical: Any = None) -> Timestamp:
    """§1.5: milliseconds and counter. Microseconds become the counter, finer digits are cut, no offset means UTC."""
    match = _RFC3339.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Refused("§1.5", "not an RFC 3339 time", "timestamp")
    if logical is not None and (type(logical) is not int or not 0 <= logical <= 0xFFFF):
        raise Refused("§1.5", "logical is a 16-bit counter", "logical")
    try:
        instant = datetime.datetime(*(int(part) for part in match.group(1, 2, 3, 4, 5, 6)))
    except ValueError as error:
        raise Refused("§1.5", str(error), "timestamp") from None
    digits, offset = match.group(7) or "", match.group(8) or "Z"
    if len(digits) > 3 and logical is not None:
        raise Refused("§1.5", "microseconds together with logical")
    seconds = (instant - datetime.datetime(1970, 1, 1)) // datetime.timedelta(seconds=1)
    if offset not in "Zz":
        hours, minutes = int(offset[1:3]), int(offset[4:6])
        if hours > 23 or minutes > 59:
            raise Refused("§1.5", "no such offset", "timestamp")
        seconds -= (hours * 3600 + minutes * 60) * (-1 if offset[0] == "-" else 1)
    padded = (digits + "000000")[:6]
    return seconds * 1000 + int(padded[:3]), int(padded[3:]) if logical is None else logical


def write_timestamp(timestamp: Timestamp) -> str:
    instant = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=timestamp[0])
    return instant.strftime("%Y-%m-%dT%H:%M:%S") + f".{timestamp[0] % 1000:03d}Z"


def _object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field is repeated")
    return fields


def _int(literal: str) -> int:
    number = int(literal)
    if not INT64_MIN <= number <= INT64_MAX:
        raise ValueError("an integer outside 64 bits")
    return number


def _double(literal: str) -> float:
    number = float(literal)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a double that is not finite")
    return 0.0 if number == 0 else number


def _shortest_double(literal: str) -> float:
    number = _double(literal)
    if Decimal(literal) != Decimal(repr(number)) or (number == 0 and literal.startswith("-")):
        raise ValueError(f"{literal} is not a shortest double")
    return number


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)
_DECODER, _STRICT_DECODER = (
    json.JSONDecoder(object_pairs_hook=_object, parse_int=_int, parse_float=double, parse_constant=_constant)
    for double in (_double, _shortest_double))
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
