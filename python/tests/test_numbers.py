"""Numbers arrive with all of their digits, whoever made them."""

import decimal
from decimal import Decimal
from fractions import Fraction

import gmpy2
import mpmath
import numpy as np
import pytest

import mandelfarm
from mandelfarm._numbers import decimal_text

RE = "-1.7400623825793399052208441670658256382966417204361718668798624184611829"
IM = "0.0281753397792110489924115211443195096875390767429906085704013095958801"


def exact(text: str) -> Fraction:
    with decimal.localcontext(decimal.Context(prec=100_000)):
        return Fraction(Decimal(text))


def long_mpf() -> object:
    with mpmath.workprec(400):
        return mpmath.mpf(RE)


def long_mpfr() -> object:
    with gmpy2.context(precision=400):
        return gmpy2.mpfr(RE)


@pytest.mark.parametrize(
    ("value", "is_exactly"),
    [
        (RE, Fraction(Decimal(RE))),
        (7, Fraction(7)),
        (-(10**5000), Fraction(-(10**5000))),
        (0, Fraction(0)),
        (Decimal(RE), Fraction(Decimal(RE))),
        (Decimal("1E+50"), Fraction(10**50)),
        (Fraction(-3, 160), Fraction(-3, 160)),
        (gmpy2.mpq(-3, 160), Fraction(-3, 160)),
        (gmpy2.mpz(10) ** 60, Fraction(10**60)),
        (long_mpfr(), Fraction(*map(int, long_mpfr().as_integer_ratio()))),
        (mpmath.mpf(2) ** -20000, Fraction(1, 2**20000)),
        (mpmath.mpf(2) ** 20000, Fraction(2**20000)),
        (mpmath.mpf(0), Fraction(0)),
        (np.float32(0.1), Fraction(float(np.float32(0.1)))),
        (np.int64(-5), Fraction(-5)),
        (np.longdouble("0.1"), Fraction(*np.longdouble("0.1").as_integer_ratio())),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_digit_arrives(value: object, is_exactly: Fraction) -> None:
    assert exact(decimal_text(value, "re")) == is_exactly


def test_mpmath_by_its_own_parts() -> None:
    value = long_mpf()
    sign, mantissa, exponent, _ = value._mpf_
    is_exactly = (-1) ** sign * int(mantissa) * Fraction(2) ** exponent
    assert exact(decimal_text(value, "re")) == is_exactly
    # As versions have it that know no as_integer_ratio.
    assert exact(decimal_text(type("Old", (), {"_mpf_": value._mpf_})(), "re")) == is_exactly


def test_a_float_is_what_is_printed_of_it() -> None:
    assert exact(decimal_text(0.1, "re")) == Fraction(1, 10)
    assert exact(decimal_text(np.float64(0.1), "re")) == Fraction(1, 10)
    assert exact(decimal_text(1e50, "zoom")) == 10**50


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), mpmath.inf, mpmath.nan, gmpy2.mpfr("inf"), gmpy2.mpfr("nan")])
def test_what_is_not_finite_is_refused(value: object) -> None:
    with pytest.raises(mandelfarm.UsageError, match="re: .* is no number"):
        mandelfarm.render(re=value, im=0, zoom=1)


@pytest.mark.parametrize("value", [Fraction(1, 3), gmpy2.mpq(1, 7)])
def test_a_fraction_without_end_is_refused(value: object) -> None:
    with pytest.raises(mandelfarm.UsageError, match="has no end in decimals"):
        mandelfarm.render(re=value, im=0, zoom=1)


@pytest.mark.parametrize("value", [True, None, 1j, [1], b"1", mpmath.mpc(1, 2)])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises((TypeError, mandelfarm.UsageError)):
        mandelfarm.render(re=value, im=0, zoom=1)


def test_a_deep_view_is_the_same_by_every_type() -> None:
    def counts(re: object, im: object, zoom: object) -> np.ndarray:
        return mandelfarm.render(re=re, im=im, zoom=zoom, size=(32, 18), iterations=20000)

    with mpmath.workdps(120), gmpy2.context(precision=400):
        expected = counts(RE, IM, "1e50")
        assert len(np.unique(expected)) > 10
        by_type = [
            (Decimal(RE), Decimal(IM), Decimal(10) ** 50),
            (mpmath.mpf(RE), mpmath.mpf(IM), mpmath.mpf(10) ** 50),
            (gmpy2.mpfr(RE), gmpy2.mpfr(IM), gmpy2.mpz(10) ** 50),
        ]
    for values in by_type:
        assert np.array_equal(counts(*values), expected)
    # What a double has of the same is another place.
    assert not np.array_equal(counts(float(RE), float(IM), 1e50), expected)
