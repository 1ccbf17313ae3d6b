"""Compiled programs, integrators and equilibria, against what is known of them."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from osimexp.physics.compiled.ir import trace as tr
from osimexp.physics.compiled.ir.program import Program, evaluate
from osimexp.physics.compiled.ir.program import program as program_of
from osimexp.physics.compiled.kernels.integrators import MEMORY
from osimexp.physics.compiled.kernels.workspace import Layout
from osimexp.physics.compiled.llvm.assembly import Function, Module
from osimexp.physics.compiled.llvm.emit import emit
from osimexp.physics.compiled.llvm.lanes import Shape
from osimexp.physics.compiled.llvm.native import Code, object_code
from osimexp.physics.compiled.run.machine import (
    Machine,
    Programs,
    compile_module,
    processor_key,
    register_bits,
    shapes,
)
from osimexp.physics.settings import CompiledSettings

BITS = [bits for bits in (128, 256, 512) if bits <= register_bits()]
SHAPES = [shape for bits in BITS for shape in shapes(True, bits)]


def run(program: Program, shape: Shape, values: np.ndarray) -> np.ndarray:
    """Run a program in a shape on values ``(rows, inputs)``; rows are of whole registers."""
    kind = np.float64 if shape.element == "double" else np.float32
    module = Module(register_bits())
    emit(module, "program", program, program.inputs, shape)
    f = Function(module, "every", {"state": "ptr", "out": "ptr", "first": "i64", "last": "i64"})
    p = f.parameters
    with f.count(p["first"], p["last"]) as i:
        state = f.at(p["state"], shape.number, f.arithmetic("mul", i, program.inputs))
        out = f.at(p["out"], shape.number, f.arithmetic("mul", i, len(program.results)))
        f.call("program", state, state, out)
    f.close()
    code = Code(object_code(module.text()))
    groups = len(values) // shape.width
    packed = aligned((groups, program.inputs, shape.width), kind)
    packed[:] = values.reshape(groups, shape.width, -1).transpose(0, 2, 1)
    out = aligned((groups, len(program.results), shape.width), kind)
    code.function("every", ("ptr", "ptr", "i64", "i64"))(
        packed.ctypes.data, out.ctypes.data, 0, groups
    )
    return out.transpose(0, 2, 1).reshape(len(values), -1)


def aligned(shape: tuple[int, ...], kind: type) -> np.ndarray:
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(kind).reshape(shape)


def function_of(count: int, body: Callable[..., Sequence[tr.Scalar]]) -> Program:
    trace = tr.Trace()
    return program_of("program", trace, list(body(*trace.inputs(0, count))), count)


# Mathematics


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_mathematical_functions_are_accurate(shape: Shape) -> None:
    double = shape.element == "double"
    kind = np.float64 if double else np.float32
    rng = np.random.default_rng(0)
    program = function_of(
        5,
        lambda a, b, c, d, e: [tr.exp(a), tr.log(b), tr.sin(c), tr.cos(c), tr.atan2(d, e)],
    )
    rows = 4096
    far = 1e5 if double else 1e4
    a = rng.uniform(-700, 700, rows) if double else rng.uniform(-87, 88, rows)
    b = np.where(np.arange(rows) % 2, np.exp(rng.uniform(-60, 60, rows)), rng.uniform(0.7, 1.4))
    c = np.where(np.arange(rows) % 2, rng.uniform(-far, far, rows), rng.uniform(-4, 4, rows))
    d, e = rng.normal(size=(2, rows)) * np.exp(rng.uniform(-9, 9, (2, rows)))
    values = np.stack([a, b, c, d, e], 1).astype(kind)
    found = run(program, shape, values).astype(np.longdouble)
    a, b, c, d, e = values.astype(np.longdouble).T
    relative = 1e-15 if double else 2e-7
    np.testing.assert_allclose(found[:, 0], np.exp(a), rtol=relative)
    np.testing.assert_allclose(found[:, 1], np.log(b), rtol=relative, atol=relative / 10)
    np.testing.assert_allclose(found[:, 2], np.sin(c), rtol=0, atol=relative)
    np.testing.assert_allclose(found[:, 3], np.cos(c), rtol=0, atol=relative)
    np.testing.assert_allclose(found[:, 4], np.arctan2(d, e), rtol=0, atol=2 * relative)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_mathematical_functions_at_their_ends(shape: Shape) -> None:
    program = function_of(
        1,
        lambda x: [tr.exp(x), tr.log(x), tr.sin(x), tr.cos(x), tr.atan2(x, x), tr.sqrt(x)],
    )
    inf, nan = math.inf, math.nan
    values = np.zeros((16, 1))
    values[:6, 0] = 0.0, inf, -inf, nan, -1.0, 1e4
    found = run(program, shape, values)
    np.testing.assert_array_equal(found[:6, 0], [1.0, inf, 0.0, nan, found[4, 0], inf])
    np.testing.assert_array_equal(found[:5, 1], [-inf, inf, nan, nan, nan])
    np.testing.assert_array_equal(found[:4, 2], [0.0, nan, nan, nan])
    np.testing.assert_array_equal(found[:4, 3], [1.0, nan, nan, nan])
    assert found[0, 4] == 0.0
    assert np.isnan(found[3, 4])
    np.testing.assert_array_equal(found[:5, 5], [0.0, inf, nan, nan, nan])


def test_arc_tangent_on_the_axes() -> None:
    program = function_of(2, lambda y, x: [tr.atan2(y, x)])
    values = np.array([[y, x] for y in (-1.0, 0.0, 1.0) for x in (-1.0, 0.0, 1.0)])
    found = run(program, SHAPES[0], np.vstack([values, values[:1]]))[:9, 0]
    np.testing.assert_allclose(found, np.arctan2(*values.T), atol=1e-15)


# Programs


def random_program(seed: int, operations: int, inputs: int = 6) -> Program:
    """Return a program of every kind of operation, whose numbers stay of ordinary size."""
    rng = np.random.default_rng(seed)
    trace = tr.Trace()
    numbers: list[tr.Scalar] = list(trace.inputs(0, inputs))

    def pick() -> tr.Scalar:
        return numbers[int(rng.integers(len(numbers)))]

    def condition() -> tr.Condition:
        first, second = tr.less(pick(), pick()), tr.less(pick(), 0.3)
        joined = tr.both(first, second) if rng.random() < 0.5 else tr.either(first, second)
        return tr.negation(joined) if rng.random() < 0.5 else joined

    def table() -> tr.Scalar:
        count, parts = int(rng.integers(1, 20)), int(rng.integers(1, 12))
        breaks = tuple(sorted(rng.uniform(-1, 1, count).tolist()))
        index = tr.refine(tr.locate(pick(), breaks), pick() * parts, parts)
        return tr.lookup(index, tuple(rng.uniform(-1, 1, (count + 1) * parts).tolist()))

    kinds: list[Callable[[], tr.Scalar]] = [
        lambda: pick() + pick(),
        lambda: pick() - pick(),
        lambda: pick() * pick(),
        lambda: pick() / (1.0 + tr.absolute(pick())),
        lambda: -pick(),
        lambda: tr.sqrt(tr.absolute(pick()) + 0.1),
        lambda: tr.exp(-tr.absolute(pick())),
        lambda: tr.log(tr.absolute(pick()) + 0.5),
        lambda: tr.sin(pick()),
        lambda: tr.cos(pick()),
        lambda: tr.atan2(pick(), pick()),
        lambda: tr.tanh(pick()),
        lambda: tr.select(condition(), pick(), pick()),
        table,
    ]
    while len(trace.operations) < operations:
        made = kinds[int(rng.integers(len(kinds)))]()
        # Kept within [-1, 1] by and large, so that nothing is amplified.
        numbers.append(made * 0.4 if rng.random() < 0.8 else tr.sin(made))
    return program_of("program", trace, [*numbers[-8:], 2.5], inputs)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_emitted_programs_do_what_the_trace_says(shape: Shape, seed: int) -> None:
    program = random_program(seed, 600)
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, (32, program.inputs)).astype(np.float32)
    found = run(program, shape, values)
    expected = np.array([evaluate(program, v) for v in values.astype(float)])
    close = np.isclose(found, expected, rtol=1e-12, atol=1e-12)
    if shape.element == "float":
        close = np.isclose(found, expected, rtol=1e-4, atol=1e-4)
        # A rounded number may fall on the other side of a break.
        assert close.mean() > 0.98
    else:
        assert close.all()


def test_every_kind_of_operation_is_tried() -> None:
    kinds = {o.kind for seed in range(4) for o in random_program(seed, 600).operations}
    numbers = {"input", "add", "sub", "mul", "div", "neg", "sqrt", "exp", "log", "sin", "cos"}
    numbers |= {"atan2", "abs", "select", "lookup"}
    assert kinds == numbers | {"less", "and", "or", "not", "locate", "refine"}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("entries", [2, 3, 9, 17, 33, 50, 64, 65, 200])
def test_tables_of_any_length(shape: Shape, entries: int) -> None:
    breaks = tuple(float(k) for k in range(1, entries))
    entry = tuple(float(k * k) for k in range(entries))
    program = function_of(1, lambda x: [tr.lookup(tr.locate(x, breaks), entry)])
    rows = 16 * (-(-(entries + 2) // 16))
    x = np.arange(rows)[:, None] - 1.0
    found = run(program, shape, x)[:, 0]
    np.testing.assert_array_equal(found, np.clip(x[:, 0], 0, entries - 1) ** 2)


# Integrators

Rates = Callable[[list[tr.Scalar], list[tr.Scalar]], list[tr.Scalar]]


def machine_of(rates: Rates, states: int, controls: int, bits: int | None = None) -> Machine:
    trace = tr.Trace()
    inputs = list(trace.inputs(0, states + controls))
    derivative = program_of(
        "derivative", trace, rates(inputs[:states], inputs[states:]), len(inputs)
    )
    layout = Layout(states, controls, (states // 2, states))
    return Machine(compile_module(Programs(derivative, {}), layout, True, bits), layout)


def advance(
    machine: Machine,
    settings: CompiledSettings,
    state: np.ndarray,
    controls: np.ndarray,
    duration: float,
    steps: int = 1,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    state, rows = np.array(state, dtype=float), len(state)
    memory, total = np.zeros((rows, MEMORY)), np.zeros(rows, np.int32)
    status, count = np.empty(rows, np.int32), np.empty(rows, np.int32)
    for _ in range(steps):
        machine.step(settings, duration, state, controls, memory, status, count, threads)
        total += count
    return state, status, total


@pytest.fixture(scope="module", params=BITS)
def oscillator(request: pytest.FixtureRequest) -> Machine:
    """Return x' = v, v' = u - x."""
    return machine_of(lambda s, c: [s[1], c[0] - s[0]], 2, 1, request.param)


START = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]])
LEVELS = np.array([[0.0], [0.5], [-1.0]])


def swing(time: float) -> np.ndarray:
    x, v = (START - np.hstack([LEVELS, 0 * LEVELS])).T
    turned = [x * math.cos(time) + v * math.sin(time), v * math.cos(time) - x * math.sin(time)]
    return np.stack([turned[0] + LEVELS[:, 0], turned[1]], 1)


@pytest.mark.parametrize(("method", "order"), [("rk2", 2), ("rk3", 3), ("rk4", 4), ("rkc", 2)])
def test_fixed_steps_converge_at_their_order(oscillator: Machine, method: str, order: int) -> None:
    errors = []
    for step in (0.1, 0.05, 0.025):
        settings = CompiledSettings(method, maximum_step=step, stages=6)  # type: ignore[arg-type]
        found, status, count = advance(oscillator, settings, START, LEVELS, 1.0)
        assert not status.any()
        stages = 6 if method == "rkc" else order
        assert (count == round(1.0 / step) * stages).all()
        errors.append(np.abs(found - swing(1.0)).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, order, atol=0.1)


@pytest.mark.parametrize("method", ["adaptive", "rk2", "rk3", "rk4", "rkc"])
def test_single_precision_agrees_with_double(oscillator: Machine, method: str) -> None:
    results = [
        advance(
            oscillator,
            CompiledSettings(method, maximum_step=0.02, lanes=lanes),  # type: ignore[arg-type]
            START,
            LEVELS,
            0.1,
            steps=5,
        )
        for lanes in (False, True)
    ]
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=0, atol=3e-6)
    if method != "adaptive":
        np.testing.assert_array_equal(results[0][2], results[1][2])


def test_error_control_keeps_the_tolerance_and_remembers_its_step(oscillator: Machine) -> None:
    counts = []
    for tolerance in (1e-3, 1e-5, 1e-7):
        settings = CompiledSettings(tolerance=tolerance)
        found, status, count = advance(oscillator, settings, START, LEVELS, 1.0, steps=3)
        assert not status.any()
        assert np.abs(found - swing(3.0)).max() < 20 * tolerance
        counts.append(count[0])
    assert counts[0] < counts[1] < counts[2]
    state, memory = START.copy(), np.zeros((3, MEMORY))
    status, count = np.empty(3, np.int32), np.empty(3, np.int32)
    settings = CompiledSettings(tolerance=1e-4)
    taken = []
    for _ in range(2):
        oscillator.step(settings, 0.01, state, LEVELS, memory, status, count)
        taken.append(count.max())
    assert (memory[:, 0] > 0.01).all()
    assert taken[1] == 4


def test_errors_count_by_the_scale_of_their_state() -> None:
    rates: Rates = lambda s, c: [1e-6 * tr.sin(1e6 * s[1]) + 0.0 * c[0], 1e-6]  # noqa: E731
    trace = tr.Trace()
    s = list(trace.inputs(0, 3))
    derivative = program_of("derivative", trace, rates(s[:2], s[2:]), 3)
    layout = Layout(2, 1, (1, 2))
    code = compile_module(Programs(derivative, {}), layout)
    errors = []
    for scales in (None, np.array([1e-6, 1e-6])):
        machine = Machine(code, layout, scales=scales)
        found, _, _ = advance(
            machine, CompiledSettings(tolerance=1e-5), np.zeros((1, 2)), np.zeros((1, 1)), 5.0
        )
        errors.append(abs(found[0, 0] - 1e-6 * (1.0 - math.cos(5.0))) / 1e-6)
    assert errors[1] < 1e-3 < errors[0]


def test_a_stiff_equation_needs_as_many_stages_as_the_formula_says() -> None:
    machine = machine_of(lambda s, c: [c[0] - 2000.0 * s[0], -1.0 * s[1]], 2, 1)
    state, controls = np.ones((1, 2)), np.array([[4000.0]])
    for lanes in (False, True):
        sizes = {}
        for stages in (8, 14):
            settings = CompiledSettings(
                "rkc", maximum_step=0.05, stages=stages, lanes=lanes, highest_speed=1e30
            )
            found, _, _ = advance(machine, settings, state, controls, 0.05, steps=20)
            sizes[stages] = abs(found[0, 0])
        # 0.65 (stages^2 - 1) is 41 and 127; the product of rate and step is 100.
        assert sizes[8] > 1e3
        assert sizes[14] == pytest.approx(2.0, abs=0.05)
        assert found[0, 1] == pytest.approx(math.exp(-1.0), abs=1e-3)
    found, status, _ = advance(machine, CompiledSettings(), state, controls, 0.05, steps=20)
    np.testing.assert_allclose(found, [[2.0, math.exp(-1.0)]], atol=1e-3)
    assert status == [0]


METHODS = [
    CompiledSettings(highest_speed=5.0),
    CompiledSettings(highest_speed=5.0, lanes=True),
    CompiledSettings("rk4", maximum_step=0.01, highest_speed=5.0),
    CompiledSettings("rkc", maximum_step=0.01, highest_speed=5.0, lanes=True),
]


@pytest.mark.parametrize("settings", METHODS, ids=lambda s: f"{s.integrator}-{s.lanes}")
def test_rows_that_fail_stay_as_they_were(settings: CompiledSettings) -> None:
    machine = machine_of(lambda s, c: [s[1], tr.sqrt(s[0]) + c[0] + 0.0 * s[1]], 2, 1)
    state = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [np.nan, 0.0], [np.inf, 0.0]])
    controls = np.array([[-1.0], [-9.0], [9.0], [0.0], [0.0]])
    found, status, _ = advance(machine, settings, state, controls, 1.0)
    np.testing.assert_array_equal(status, [0, 1, 2, 1, 1])
    np.testing.assert_array_equal(found[1:], state[1:])
    np.testing.assert_allclose(found[0], [1.0, 0.0], atol=1e-6)


def test_too_many_derivatives_are_an_overrun(oscillator: Machine) -> None:
    settings = CompiledSettings(tolerance=1e-9, evaluations=50)
    found, status, count = advance(oscillator, settings, START, LEVELS, 10.0)
    np.testing.assert_array_equal(status, 3)
    np.testing.assert_array_equal(found, START)
    assert (count <= 50).all()


def crowd() -> tuple[Machine, np.ndarray, np.ndarray]:
    program = random_program(9, 400, inputs=22)
    layout = Layout(20, 2, (10, 20))
    results = (program.results * 3)[:20]
    derivative = Program("derivative", program.operations, results, 22)
    output = Program("output", program.operations, program.results[:1], 22)
    machine = Machine(
        compile_module(Programs(derivative, {"output": output}), layout, True), layout
    )
    rng = np.random.default_rng(1)
    return machine, rng.uniform(-1, 1, (53, 20)), rng.uniform(-1, 1, (53, 2))


@pytest.mark.parametrize("settings", METHODS, ids=lambda s: f"{s.integrator}-{s.lanes}")
def test_a_row_depends_on_itself_alone(settings: CompiledSettings) -> None:
    machine, state, controls = crowd()

    def found(rows: np.ndarray, threads: int = 1, spoil: bool = False) -> np.ndarray:
        start = state[rows].copy()
        if spoil:
            start[1::2] = np.nan
        return advance(machine, settings, start, controls[rows], 0.05, 3, threads)[0]

    everyone = np.arange(53)
    whole = found(everyone)
    assert (whole != state).any(axis=1).all()
    np.testing.assert_array_equal(found(everyone, threads=2), whole)
    np.testing.assert_array_equal(found(everyone[::-1].copy()), whole[::-1])
    np.testing.assert_array_equal(found(everyone[:5]), whole[:5])
    np.testing.assert_array_equal(found(everyone[17:18]), whole[17:18])
    np.testing.assert_array_equal(found(everyone, spoil=True)[::2], whole[::2])
    machine.close()


def test_derivative_and_output_of_rows() -> None:
    machine, state, controls = crowd()
    program = random_program(9, 400, inputs=22)
    expected = np.array([evaluate(program, np.hstack(r)) for r in zip(state, controls)])  # noqa: B905
    rates, read = np.empty((53, 20)), np.empty((53, 1))
    for threads in (1, 2):
        machine.read("derivative", state, controls, rates, threads)
        machine.read("output", state, controls, read, threads)
        np.testing.assert_allclose(rates[:, :9], expected, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(read, expected[:, :1], rtol=1e-11, atol=1e-13)
    machine.close()


# Equilibria


@pytest.fixture(scope="module")
def balance() -> Machine:
    """Return residuals x^3 + 2 x - c and exp(20 y) - 1 - (1 + x0) c, x and y in slots 1 and 2."""

    def residuals(s: list[tr.Scalar]) -> list[tr.Scalar]:
        x, y, c = s[1], s[2], s[3]
        return [x * x * x + 2.0 * x - c, tr.exp(20.0 * y) - 1.0 - (1.0 + s[0]) * c]

    trace = tr.Trace()
    s = list(trace.inputs(0, 4))
    layout = Layout(3, 1, (0, 1), (1, 2))
    programs = Programs(
        program_of("derivative", trace, s[:3], 4),
        {},
        program_of("residual", trace, residuals(s), 4),
    )
    return Machine(compile_module(programs, layout), layout)


def test_equilibrium_is_found_to_rounding(balance: Machine) -> None:
    rng = np.random.default_rng(0)
    rows = 40
    state, controls = rng.uniform(0.0, 1.0, (rows, 3)), rng.uniform(0.01, 2.9, (rows, 1))
    controls[0] = 3.0
    status = np.empty(rows, np.int32)
    bounds = (np.array([-1.0, -1.0]), np.array([1.0, 3.0]))
    before = state.copy()
    balance.equilibrate(state, controls, bounds, status)
    assert not status.any()
    x, y, c = state[:, 1], state[:, 2], controls[:, 0]
    np.testing.assert_array_equal(state[:, 0], before[:, 0])
    np.testing.assert_allclose(x**3 + 2.0 * x, c, rtol=1e-12)
    np.testing.assert_allclose(y, np.log1p((1.0 + state[:, 0]) * c) / 20.0, rtol=2e-12)
    assert x[0] == 1.0
    again = before.copy()
    balance.equilibrate(again, controls, bounds, status, threads=2)
    np.testing.assert_array_equal(again, state)
    found = np.empty((rows, 2))
    balance.read("residual", state, controls, found)
    assert np.abs(found).max() < 1e-10
    balance.close()


def test_bounds_that_do_not_bracket_are_told(balance: Machine) -> None:
    state, status = np.zeros((3, 3)), np.empty(3, np.int32)
    controls = np.array([[1.0], [5.0], [np.nan]])
    bounds = (np.array([-1.0, -1.0]), np.array([1.0, 3.0]))
    balance.equilibrate(state, controls, bounds, status)
    np.testing.assert_array_equal(status, [0, 4, 4])
    np.testing.assert_array_equal(state[1:], 0.0)


# The machine


def test_arrays_of_another_shape_are_refused(oscillator: Machine) -> None:
    with pytest.raises(ValueError, match="controls must be a C-contiguous array"):
        oscillator.read("derivative", START, np.zeros((3, 2)), np.empty((3, 2)))
    with pytest.raises(ValueError, match="out must be a C-contiguous array"):
        oscillator.read("derivative", START, LEVELS, np.empty((2, 3)).T)


def test_what_was_not_compiled_is_refused() -> None:
    layout = Layout(2, 1, (1, 2))
    program = function_of(3, lambda x, v, c: [v, c - x])
    machine = Machine(compile_module(Programs(program, {}), layout), layout)
    with pytest.raises(ValueError, match=r"No step_rk4\.float was compiled"):
        advance(machine, CompiledSettings("rk4", lanes=True), START, LEVELS, 0.1)
    with pytest.raises(ValueError, match=r"No output was compiled"):
        machine.read("output", START, LEVELS, np.empty((3, 1)))


def test_the_same_programs_compile_to_the_same_code() -> None:
    program = random_program(3, 300)
    layout = Layout(4, 2, (0, 2))
    derivative = Program("d", program.operations, program.results[:4], 6)
    programs = Programs(derivative, {"output": program})
    assert compile_module(programs, layout) == compile_module(programs, layout)
    assert processor_key() == processor_key()
