"""Exponential, logarithm, sine, cosine and arc tangent, without a mathematical library.

The functions are written as arithmetic, so that they give the same result in every SIMD lane and on
every system. The polynomials were fitted by Remez's exchange, in 60 digits, to the smallest maximum
error of the function itself (relative; absolute for the cosine) on the interval that range
reduction leaves, and rounded to the nearest number.

Greatest errors found against NumPy in extended precision, with fused products and sums:

  ======  =======================================  ====================================
          double                                   float
  ======  =======================================  ====================================
  exp     1.6e-16 relative                         8.3e-8 relative
  log     1.5e-16 relative                         7.9e-8 relative
  sin     2.2e-16 absolute, |x| < 1e5              9.3e-8 absolute, |x| < 1e4
  cos     2.0e-16 absolute, |x| < 1e5              9.3e-8 absolute, |x| < 1e4
  atan2   5.4e-16 absolute                         2.6e-7 absolute
  ======  =======================================  ====================================

NaN in gives NaN out. The exponential goes to 0 and to infinity. Sine and cosine lose digits beyond
the range above and are NaN for infinity. The arc tangent needs finite coordinates whose sum is
finite.
"""

from dataclasses import dataclass

from osimexp.physics.compiled.llvm.assembly import Term
from osimexp.physics.compiled.llvm.lanes import Numbers


@dataclass(frozen=True)
class _Constants:
    """The constants of one precision.

    Attributes:
        shift: 1.5 times 2 to the number of bits of the fraction; adding it rounds to a whole
            number.
        exp_range: arguments below which exp is 0 and above which it is infinite.
        ln2: ln 2 as a high part, of few bits, and a low part.
        exp: coefficients of (e^r - 1 - r) / r^2.
        log: coefficients of (2 artanh(s) - 2 s) / s^3, in s^2.
        half_pi: pi / 2 in three parts, the first two of few bits.
        sin: coefficients of (sin r - r) / r^3, in r^2.
        cos: coefficients of (cos r - 1 + r^2 / 2) / r^4, in r^2.
        atan: coefficients of (arctan t - t) / t^3, in t^2.
        scale: a power of 2 that makes subnormal numbers normal, and its exponent.
        bias: bias of the exponent.
        sqrt_half: bits of sqrt(1/2).
        smallest: smallest normal number.
    """

    shift: float
    exp_range: tuple[float, float]
    ln2: tuple[float, float]
    exp: tuple[float, ...]
    log: tuple[float, ...]
    half_pi: tuple[float, float, float]
    sin: tuple[float, ...]
    cos: tuple[float, ...]
    atan: tuple[float, ...]
    scale: tuple[float, int]
    bias: int
    sqrt_half: int
    smallest: float


_DOUBLE = _Constants(
    shift=1.5 * 2.0**52,
    exp_range=(-746.0, 710.0),
    ln2=(0.6931471805598903, 5.497923018708371e-14),
    exp=(
        0.5000000000000013,
        0.166666666666667,
        0.04166666666651433,
        0.00833333333330702,
        0.001388888894732948,
        0.00019841269917793367,
        2.480148959211455e-05,
        2.755721592961607e-06,
        2.763141331659174e-07,
        2.5117980001777013e-08,
    ),
    log=(
        0.6666666666666735,
        0.399999999994111,
        0.28571428743261756,
        0.22222198476061963,
        0.18183569736264443,
        0.15313903329432868,
        0.14797506973252228,
    ),
    half_pi=(1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21),
    sin=(
        -0.16666666666666632,
        0.008333333333322316,
        -0.00019841269829725346,
        2.755731366209496e-06,
        -2.5050753269283554e-08,
        1.5896505178692322e-10,
    ),
    cos=(
        0.0416666666666666,
        -0.001388888888887399,
        2.480158728939495e-05,
        -2.755731432602063e-07,
        2.087571955554965e-09,
        -1.1359448445134254e-11,
    ),
    atan=(
        -0.333333333333332,
        0.19999999999953239,
        -0.14285714280158968,
        0.1111111078146373,
        -0.09090897696985116,
        0.07692059075040972,
        -0.06663090416603941,
        0.05847785207550415,
        -0.05038813846839857,
        0.03805154783086239,
        -0.01789238244013036,
    ),
    scale=(2.0**54, 54),
    bias=1023,
    sqrt_half=0x3FE6A09E667F3BCD,
    smallest=2.0**-1022,
)

_FLOAT = _Constants(
    shift=1.5 * 2.0**23,
    exp_range=(-104.0, 89.0),
    ln2=(0.693145751953125, 1.4286068203094173e-06),
    exp=(
        0.5000000095666379,
        0.16666518307800535,
        0.04166620448086275,
        0.008368953436764706,
        0.0013950576251466347,
    ),
    log=(0.6666677672541333, 0.3997749473708275, 0.2987309276967279),
    half_pi=(1.5703125, 0.0004837512969970703, 7.549789954891882e-08),
    sin=(-0.16666654873357922, 0.008332173540394143, -0.00019516655590364273),
    cos=(0.041666646747889495, -0.001388736145285252, 2.4437730186148897e-05),
    atan=(-0.3333295246804603, 0.19977806932282866, -0.13878446082662907, 0.08055425764489366),
    scale=(2.0**25, 25),
    bias=127,
    sqrt_half=0x3F3504F3,
    smallest=2.0**-126,
)

_LOG2_E = 1.4426950408889634
_TWO_OVER_PI = 0.6366197723675814
_TAN_PI_8 = 0.41421356237309503
_HALF_PI = 1.5707963267948966
_QUARTER_PI = 0.7853981633974483
_PI = (3.141592653589793, 1.2246467991473532e-16)


def _constants(n: Numbers) -> _Constants:
    return _DOUBLE if n.shape.element == "double" else _FLOAT


def exp(n: Numbers, x: Term) -> Term:
    """Return e^x."""
    f = _constants(n)
    low, high = n.constant(f.exp_range[0]), n.constant(f.exp_range[1])
    x = n.select(n.compare("olt", x, low), low, x)
    x = n.select(n.compare("ogt", x, high), high, x)
    shift = n.constant(f.shift)
    shifted = n.add(n.multiply(x, n.constant(_LOG2_E)), shift)
    whole = n.subtract(shifted, shift)
    r = n.subtract(x, n.multiply(whole, n.constant(f.ln2[0])))
    r = n.subtract(r, n.multiply(whole, n.constant(f.ln2[1])))
    square = n.multiply(r, r)
    power = n.add(r, n.multiply(square, n.polynomial(r, f.exp)))
    power = n.add(power, n.constant(1.0))
    # Two factors, as one power of 2 could not reach the largest and smallest numbers.
    exponent = n.whole("sub", n.bits(shifted), n.bits(shift))
    half = n.whole("ashr", exponent, n.integer(1))
    for part in (half, n.whole("sub", exponent, half)):
        biased = n.whole("add", part, n.integer(f.bias))
        power = n.multiply(power, n.from_bits(n.whole("shl", biased, n.integer(n.shape.mantissa))))
    return power


def log(n: Numbers, x: Term) -> Term:
    """Return the natural logarithm: -inf for 0, NaN below 0."""
    f = _constants(n)
    tiny = n.compare("olt", x, n.constant(f.smallest))
    scaled = n.select(tiny, n.multiply(x, n.constant(f.scale[0])), x)
    bits = n.bits(scaled)
    fraction = n.integer(n.shape.mantissa)
    exponent = n.whole("ashr", n.whole("sub", bits, n.integer(f.sqrt_half)), fraction)
    mantissa = n.from_bits(n.whole("sub", bits, n.whole("shl", exponent, fraction)))
    exponent = n.whole("sub", exponent, n.select(tiny, n.integer(f.scale[1]), n.integer(0)))
    # The exponent is below the bits of the shift, so one subtraction makes it a number.
    shift = n.constant(f.shift)
    k = n.subtract(n.from_bits(n.whole("add", n.bits(shift), exponent)), shift)
    d = n.subtract(mantissa, n.constant(1.0))
    s = n.divide(d, n.add(d, n.constant(2.0)))
    square = n.multiply(s, s)
    rest = n.multiply(square, n.polynomial(square, f.log))
    half = n.multiply(n.multiply(d, d), n.constant(0.5))
    # log(1 + d) = d - (d^2 / 2 - s (d^2 / 2 + rest)), which keeps the digits of d.
    inner = n.add(n.multiply(s, n.add(half, rest)), n.multiply(k, n.constant(f.ln2[1])))
    result = n.subtract(n.multiply(k, n.constant(f.ln2[0])), n.subtract(n.subtract(half, inner), d))
    infinity = n.constant(float("inf"))
    result = n.select(n.compare("olt", x, infinity), result, x)
    edge = n.select(
        n.compare("oeq", x, n.constant(0.0)), n.constant(float("-inf")), n.constant(float("nan"))
    )
    return n.select(n.compare("ogt", x, n.constant(0.0)), result, edge)


def sine_and_cosine(n: Numbers, x: Term) -> tuple[Term, Term]:
    """Return the sine and the cosine of an angle in rad; LLVM drops the one that is not used."""
    f = _constants(n)
    shift = n.constant(f.shift)
    shifted = n.add(n.multiply(x, n.constant(_TWO_OVER_PI)), shift)
    turns = n.subtract(shifted, shift)
    r = x
    for part in f.half_pi:
        r = n.subtract(r, n.multiply(turns, n.constant(part)))
    square = n.multiply(r, r)
    sine = n.add(r, n.multiply(n.multiply(r, square), n.polynomial(square, f.sin)))
    cosine = n.add(
        n.subtract(n.constant(1.0), n.multiply(square, n.constant(0.5))),
        n.multiply(n.multiply(square, square), n.polynomial(square, f.cos)),
    )
    quadrant = n.bits(shifted)
    one, two = n.integer(1), n.integer(2)
    odd = n.compare_integers("ne", n.whole("and", quadrant, one), n.integer(0))
    return (
        _signed(n, n.select(odd, cosine, sine), n.whole("and", quadrant, two)),
        _signed(
            n,
            n.select(odd, sine, cosine),
            n.whole("and", n.whole("add", quadrant, one), two),
        ),
    )


def _signed(n: Numbers, x: Term, two: Term) -> Term:
    """Return -x in lanes where the integer is 2, x where it is 0."""
    sign = n.whole("shl", two, n.integer(30 if n.shape.integer == "i32" else 62))
    return n.from_bits(n.whole("xor", n.bits(x), sign))


def atan2(n: Numbers, y: Term, x: Term) -> Term:
    """Return the angle (rad) of the point (x, y)."""
    f = _constants(n)
    across, up = n.absolute(x), n.absolute(y)
    steep = n.compare("ogt", up, across)
    large, small = n.select(steep, up, across), n.select(steep, across, up)
    # arctan(a) = pi / 4 + arctan((a - 1) / (a + 1)) makes the argument smaller than tan(pi / 8).
    turned = n.compare("ogt", small, n.multiply(large, n.constant(_TAN_PI_8)))
    above = n.select(turned, n.subtract(small, large), small)
    below = n.select(turned, n.add(small, large), large)
    zero = n.constant(0.0)
    below = n.select(n.compare("oeq", below, zero), n.constant(1.0), below)
    t = n.divide(above, below)
    square = n.multiply(t, t)
    angle = n.add(t, n.multiply(n.multiply(t, square), n.polynomial(square, f.atan)))
    angle = n.add(angle, n.select(turned, n.constant(_QUARTER_PI), zero))
    angle = n.select(steep, n.subtract(n.constant(_HALF_PI), angle), angle)
    left = n.compare_integers("slt", n.bits(x), n.integer(0))
    mirrored = n.subtract(n.constant(_PI[0]), n.subtract(angle, n.constant(_PI[1])))
    angle = n.select(left, mirrored, angle)
    sign = n.whole("and", n.bits(y), n.integer(-(2 ** (31 if n.shape.integer == "i32" else 63))))
    return n.from_bits(n.whole("or", n.bits(angle), sign))
