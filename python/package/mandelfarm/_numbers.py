"""Numbers of any kind as decimal text, with all of their digits."""

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, DecimalException
from typing import Protocol, SupportsIndex, runtime_checkable

from ._errors import UsageError

_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


@runtime_checkable
class HasRatio(Protocol):
    """A number that is a ratio of whole numbers, exactly: Fraction, mpmath.mpf, gmpy2.mpfr, a floating type of numpy's."""

    def as_integer_ratio(self) -> tuple[SupportsIndex, SupportsIndex]: ...


@runtime_checkable
class HasParts(Protocol):
    """The same, as gmpy2.mpq has it."""

    @property
    def numerator(self) -> SupportsIndex: ...

    @property
    def denominator(self) -> SupportsIndex: ...


type_error = "a number is a str, int, float, Decimal, Fraction, or of mpmath, gmpy2 or numpy"

Number = str | SupportsIndex | float | Decimal | HasRatio | HasParts


def decimal_text(value: Number, name: str) -> str:
    """`value` in decimals, which for every type but float is exactly its value; a float is what Python prints of it.

    Raises UsageError for what is not finite, and for fractions like 1/3, which no decimals have.
    """
    if isinstance(value, bool):
        raise TypeError(f"{name}: {type_error}")
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float):
        return _finite(Decimal(float.__repr__(value)), name)
    if isinstance(value, Decimal):
        return _finite(value, name)
    if isinstance(value, SupportsIndex):
        # By way of Decimal: str() of an int refuses more than 4300 digits.
        return str(Decimal(value.__index__()))
    ratio = _ratio(value, name)
    if ratio is None:
        raise TypeError(f"{name}: {type_error}, and not {type(value).__name__}")
    return _of_ratio(*ratio, name)


def _finite(value: Decimal, name: str) -> str:
    if not value.is_finite():
        raise UsageError(f"{name}: {value} is no number")
    return str(value)


def _ratio(value: object, name: str) -> tuple[int, int] | None:
    raw = getattr(value, "_mpf_", None)
    if isinstance(raw, tuple) and len(raw) == 4:
        # mpmath, whose older versions say it in no other way.
        sign, mantissa, exponent = (int(part) for part in raw[:3])
        if mantissa == 0 and exponent != 0:
            raise UsageError(f"{name}: {value} is no number")
        mantissa = -mantissa if sign else mantissa
        return (mantissa << exponent, 1) if exponent >= 0 else (mantissa, 1 << -exponent)
    try:
        if isinstance(value, HasRatio):
            over, under = value.as_integer_ratio()
        elif isinstance(value, HasParts):
            over, under = value.numerator, value.denominator
        else:
            return None
    except (OverflowError, ValueError) as error:
        raise UsageError(f"{name}: {value} is no number") from error
    return int(over), int(under)


def _of_ratio(over: int, under: int, name: str) -> str:
    twos = (under & -under).bit_length() - 1
    rest, fives = under >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        raise UsageError(f"{name}: a fraction over {under} has no end in decimals: give as many digits as it takes")
    places = max(twos, fives)
    whole = (over << (places - twos)) * 5 ** (places - fives)
    try:
        return str(Decimal(whole).scaleb(-places, _EXACT))
    except DecimalException as error:
        raise UsageError(f"{name}: the number is too long") from error
