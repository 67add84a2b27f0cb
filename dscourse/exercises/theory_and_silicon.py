"""Checks of the exercises in the chapter theory_and_silicon. No clock decides any of them: all times are given."""

import numbers
import statistics
from collections.abc import Callable

from dscourse.checks.values import difference
from dslib import bench, cost

from .feedback import Feedback, Mistake, examine, inspect


def check_layer_gflops(reader_function) -> Feedback:
    """``layer_gflops(macs, elements, peak, bandwidth)``: GFLOPs per second that a layer can reach at most."""
    layers = [
        (cost.depthwise_conv2d(64, 3, 56), 500, 20),
        (cost.conv2d(64, 64, 3, 14), 100, 20),
        (cost.pointwise_conv2d(16, 16, 28), 80, 12),
        (cost.depthwise_conv2d(32, 5, 14), 90, 30),
    ]
    return examine(
        reader_function,
        cases=[(c.macs, c.elements_read + c.elements_written, peak, rate) for c, peak, rate in layers],
        truth=lambda macs, elements, peak, rate: bench.attainable(2 * macs / (4 * elements), peak, rate),
        mistakes=[
            Mistake(
                lambda macs, elements, peak, rate: max(peak, 2 * macs / (4 * elements) * rate),
                "You take the higher of the two roofs. A layer is held back by the lower one.",
            ),
            Mistake(
                lambda macs, elements, peak, rate: 2 * macs / (4 * elements) * rate,
                "This is the slope alone, which rises without end. What does the machine reach when numbers come fast "
                "enough?",
            ),
            Mistake(
                lambda macs, elements, peak, rate: peak,
                "This is the flat roof alone. Can the numbers come fast enough for it?",
            ),
            Mistake(
                lambda macs, elements, peak, rate: min(peak, macs / (4 * elements) * rate),
                "These are MACs per byte. The roofs are in FLOPs, two for each MAC.",
            ),
            Mistake(
                lambda macs, elements, peak, rate: min(peak, 2 * macs / elements * rate),
                "These are FLOPs per element. The bandwidth is in bytes, and a float32 number has four.",
            ),
            Mistake(
                lambda macs, elements, peak, rate: min(peak, macs / elements * rate),
                "These are MACs per element. The roofs are in FLOPs, two for each MAC, and in bytes, four for each "
                "float32 number.",
            ),
            Mistake(
                lambda macs, elements, peak, rate: min(peak, 4 * elements / (2 * macs) * rate),
                "The intensity is upside down: FLOPs for each byte, not bytes for each FLOP.",
            ),
        ],
        hint="The intensity is FLOPs divided by bytes. Two roofs follow from it: which one holds?",
    )


def check_depthwise_parts(reader_function) -> Feedback:
    """``depthwise_parts(dense_us, depthwise_us, smallest_us, channels)``: (arithmetic, call, rest) in microseconds."""

    def share(channels):  # of the dense layer's MACs
        return cost.depthwise_conv2d(channels, 3, 14).macs / cost.conv2d(channels, channels, 3, 14).macs

    def parts(arithmetic, depthwise, call):
        return arithmetic, call, depthwise - arithmetic - call

    return examine(
        reader_function,
        cases=[(384.0, 50.0, 30.0, 128), (64.0, 39.0, 28.5, 32), (7000.0, 400.0, 32.0, 512)],
        truth=lambda dense, depthwise, call, c: parts(share(c) * dense, depthwise, call),
        mistakes=[
            Mistake(
                lambda dense, depthwise, call, c: parts(dense / 9, depthwise, call),
                "A ninth of the MACs is what the pointwise half has. The depthwise half keeps the kernel and drops "
                "the sum over the channels.",
            ),
            Mistake(
                lambda dense, depthwise, call, c: parts((share(c) + 1 / 9) * dense, depthwise, call),
                "That is the arithmetic of the whole pair. Only its depthwise half is to be split.",
            ),
            Mistake(
                lambda dense, depthwise, call, c: (depthwise - call, call, 0),
                "You take all but the call for arithmetic. At the dense layer's pace the arithmetic takes less, and "
                "something is left.",
            ),
            Mistake(
                lambda dense, depthwise, call, c: (call, share(c) * dense, depthwise - share(c) * dense - call),
                "The right parts in another order: first the arithmetic, then the call, then the rest.",
            ),
            Mistake(
                lambda dense, depthwise, call, c: (share(c) * dense, call, depthwise - call),
                "Your parts add up to more than the layer's time: the arithmetic is still in the rest.",
            ),
            Mistake(
                lambda dense, depthwise, call, c: (share(c) * dense, call, depthwise - share(c) * dense),
                "Your parts add up to more than the layer's time: the call is still in the rest.",
            ),
        ],
        hint="How many times fewer MACs than the dense layer has the depthwise one? The parts add up to its time.",
    )


def check_pair_gains_from(reader_function) -> Feedback:
    """``pair_gains_from(size, dense_call, depthwise_call, pointwise_call, pace)``: the fewest channels."""

    def first(size, dense_call, pair_calls, pace, positions=None, or_equal=False):
        for c in range(1, 10_000):
            whole, halves = cost.conv2d(c, c, 3, size), cost.depthwise_separable_conv2d(c, c, 3, size)
            saved = (whole.macs - halves.macs) / pace
            saved *= 1 if positions is None else positions / size**2
            if pair_calls - dense_call < saved or or_equal and pair_calls - dense_call == saved:
                return c
        return None

    return examine(
        reader_function,
        cases=[
            (14, 10, 40, 5, 50_000),
            (7, 12, 30, 6, 40_000),
            (28, 8, 45, 9, 10_000),
            (14, 60, 30, 20, 50_000),
            (10, 5, 12, 7, 100),  # with 2 channels both take 41 us
        ],
        truth=lambda size, dense, depth, point, pace: first(size, dense, depth + point, pace),
        mistakes=[
            Mistake(
                lambda size, dense, depth, point, pace: first(size, 0, 0, pace),
                "From here on the pair has fewer MACs. The calls cost time as well.",
            ),
            Mistake(
                lambda size, dense, depth, point, pace: first(size, dense, depth, pace),
                "You count one call for the pair. It makes two.",
            ),
            Mistake(
                lambda size, dense, depth, point, pace: first(size, 0, depth + point, pace),
                "The dense layer's own call costs time too.",
            ),
            Mistake(
                lambda size, dense, depth, point, pace: first(size, dense, depth + point, pace / 2),
                "You divide FLOPs by the pace, which is in MACs per microsecond.",
            ),
            Mistake(
                lambda size, dense, depth, point, pace: first(size, dense, depth + point, pace, positions=1),
                "You count the MACs of one position. Each weight is used at all size * size of them.",
            ),
            Mistake(
                lambda size, dense, depth, point, pace: first(size, dense, depth + point, pace) - 1,
                "One less than the answer: here the pair is not yet faster.",
            ),
            Mistake(
                lambda size, dense, depth, point, pace: first(size, dense, depth + point, pace, or_equal=True),
                "Once you give a number with which both take the same time. Asked is the first with which the pair is "
                "faster.",
            ),
        ],
        hint="Each layer takes its call and its MACs divided by the pace. Try the channels one after the other.",
    )


def check_ways_that_help(reader_function) -> Feedback:
    """``ways_that_help(times)``: from ``{way: (q1, median, q3)}``, the ways that beat the spread, fastest first."""
    quiet = {
        "eager": (98, 100, 105),
        "channels_last": (108, 112, 116),
        "folded": (88, 92, 104),
        "compiled": (60, 64, 70),
        "onnxruntime": (49, 50, 52),
    }
    shaken = {
        "eager": (80, 100, 130),
        "folded": (64, 66, 68),
        "compiled": (48, 50, 53),
        "channels_last": (190, 200, 204),
        "onnxruntime": (29, 30, 33),
    }

    def better(times, beats=lambda factor, own, eager: factor > max(own, eager), fastest_first=True):
        factors = {way: times["eager"][1] / median for way, (_, median, _) in times.items()}
        spreads = {way: q3 / q1 for way, (q1, _, q3) in times.items()}
        found = [way for way in times if way != "eager" and beats(factors[way], spreads[way], spreads["eager"])]
        return sorted(found, key=factors.get, reverse=fastest_first)

    return examine(
        reader_function,
        cases=[(quiet,), (shaken,)],
        truth=better,
        mistakes=[
            Mistake(
                lambda times: better(times, lambda factor, own, eager: factor > 1),
                "You name every way with a smaller median. A factor that is nearer to 1 than the spread says little.",
            ),
            Mistake(
                lambda times: better(times, lambda factor, own, eager: factor > eager),
                "A way among these has a factor above eager's spread, but not above its own: its times are spread too.",
            ),
            Mistake(
                lambda times: better(times, lambda factor, own, eager: factor > own),
                "A way among these has a factor above its own spread, but not above eager's, whose times are spread "
                "too.",
            ),
            Mistake(
                lambda times: better(times, lambda factor, own, eager: 1 / factor > max(own, eager)),
                "These are slower than eager: how many times as fast a way is, is eager's time divided by its own.",
            ),
            Mistake(
                lambda times: better(times, fastest_first=False),
                "The right ways, but the slowest of them stands first.",
            ),
        ],
        hint="For each way: eager's median divided by its own. Then the larger of the two spreads, q3 / q1.",
    )


def check_block_intensity(reader_function) -> Feedback:
    """``block_intensity(channels, wide, size)``: FLOPs per byte, in three calls and in one."""

    def both(channels, wide, size, inside=4, flops_per_mac=2, bytes_each=4, weights=True):
        block = cost.pointwise_conv2d(channels, wide, size) + cost.depthwise_conv2d(wide, 3, size)
        block += cost.pointwise_conv2d(wide, channels, size)
        moved = block.elements_read + block.elements_written - (0 if weights else block.params)
        flops = flops_per_mac * block.macs
        return flops / (bytes_each * moved), flops / (bytes_each * (moved - inside * wide * size**2))

    return examine(
        reader_function,
        cases=[(24, 144, 56), (64, 384, 14), (16, 96, 28)],
        truth=both,
        mistakes=[
            Mistake(
                lambda *case: both(*case, bytes_each=1),
                "These are FLOPs per element. A float32 number has four bytes.",
            ),
            Mistake(
                lambda *case: both(*case, flops_per_mac=1),
                "These are MACs per byte, and a MAC is two FLOPs.",
            ),
            Mistake(
                lambda *case: both(*case, inside=2),
                "Half of what is saved is missing: there are maps between layers 1 and 2 and between 2 and 3, and "
                "each of them is written by one layer and read by the next.",
            ),
            Mistake(
                lambda channels, wide, size: both(channels, wide, size, inside=4 * channels / wide),
                "The maps between the layers are the wide ones.",
            ),
            Mistake(
                lambda *case: both(*case, weights=False),
                "The weights are missing: they are read too, in one call as in three.",
            ),
            Mistake(
                lambda *case: both(*case)[::-1],
                "The order is: in three calls, then in one.",
            ),
        ],
        hint="cost prices each of the three layers. In one call the maps between them are neither written nor read.",
    )


class FakeFunction:
    """Notes its calls and does nothing else."""

    def __init__(self, name: str, called: list[str]):
        self.name, self.called = name, called

    def __call__(self):
        self.called.append(self.name)

    def __deepcopy__(self, memo):
        return self  # the check must see what was called

    def __repr__(self):
        return self.name


class FakeStopwatch:
    """Times fake functions without a clock: the n-th call of ``name`` takes ``seconds[name][n]``."""

    def __init__(self, seconds: dict[str, list[float]]):
        self.seconds = seconds
        self.called: list[str] = []  # all calls, timed or not
        self.timed: list[str] = []
        self.functions = {name: FakeFunction(name, self.called) for name in seconds}

    def __call__(self, function: Callable) -> float:
        function()
        name = self.called[-1]
        self.timed.append(name)
        script = self.seconds[name]
        return script[min(self.called.count(name), len(script)) - 1]

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        return "stopwatch"


def check_fair_times(reader_function) -> Feedback:
    """``fair_times(functions, rounds, stopwatch)``: ``{name: median seconds}``, warmed up and taken in turns."""
    scripts = [  # the first of each is the call that must not count
        {"dense": [90, 3, 2, 5], "pair": [70, 2, 50, 6]},
        {"dense": [60, 4, 1, 8, 2], "depthwise": [80, 3, 3, 40, 5], "pair": [75, 6, 9, 7, 30]},
    ]

    def fault(answer, functions, rounds, stopwatch):
        names, called, after = list(functions), stopwatch.called, stopwatch.called[len(functions) :]
        if not isinstance(answer, dict) or set(answer) != set(names) or not all(map(is_number, answer.values())):
            return f"It should give a dictionary with the names {names} and a number of seconds for each."
        if not stopwatch.timed:
            return "Nothing was timed: stopwatch(function) calls the function and returns its seconds."
        counts = {name: called.count(name) for name in names}
        if set(counts.values()) == {rounds} and stopwatch.timed == called:
            return "The first calls are slow and must not count: call each function once before the rounds begin."
        if set(counts.values()) != {rounds + 1}:
            return (
                f"Each function should be called {rounds + 1} times, once untimed and then in {rounds} rounds. The "
                f"calls were {counts}; stopwatch(function) is a call too."
            )
        turns = [set(called[: len(names)])] + [set(after[i : i + len(names)]) for i in range(0, len(after), len(names))]
        if any(turn != set(names) for turn in turns):
            return (
                "The functions do not take turns, so a slow moment would meet one of them only. Call all of them "
                "before the first is timed, and make the loop over the rounds the outer one."
            )
        return fault_of_numbers(answer, stopwatch)

    watches = [FakeStopwatch(script) for script in scripts]
    cases = [(watch.functions, len(watch.seconds["pair"]) - 1, watch) for watch in watches]
    return inspect(reader_function, cases, fault)


def is_number(value) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def fault_of_numbers(answer: dict, stopwatch: FakeStopwatch) -> str:
    """What was quoted in place of the medians of all calls but the first, "" if it is those medians."""
    counted = {name: taken[1:] for name, taken in stopwatch.seconds.items()}
    warm_up_timed = len(stopwatch.timed) == len(stopwatch.called)

    def quoted(kind, calls=counted):
        return not difference(answer, {name: kind(taken) for name, taken in calls.items()})

    if quoted(statistics.median):
        return ""
    if quoted(statistics.mean):
        return "These are the means: one slow moment of the machine moves a mean, and a median stays where it is."
    if quoted(min):
        return "These are the fastest calls. The median says how long a call takes as a rule: half were faster."
    if warm_up_timed and quoted(statistics.median, stopwatch.seconds):
        return "The calls of the warm-up are among those whose median you take. They should not count."
    return (
        f"Of the seconds {counted} you give {answer}. The median is the middle one in order of size; of an even number "
        "it lies halfway between the middle two."
    )
