"""The exercises of the chapter on theory and silicon. No clock decides any of them: all times are given."""

import statistics
from collections.abc import Callable
from itertools import count

from dscourse.checks.exercise import exercise
from dscourse.checks.values import described, difference
from dslib import bench, cost

LAYERS = [  # each with a machine's peak and bandwidth
    (cost.depthwise_conv2d(64, 3, output_size=56), 500, 20),
    (cost.conv2d(64, 64, 3, output_size=14), 100, 20),
    (cost.pointwise_conv2d(16, 16, output_size=28), 80, 12),
    (cost.depthwise_conv2d(32, 5, output_size=14), 90, 30),
]


@exercise(
    cases=[(layer.macs, layer.elements_read + layer.elements_written, peak, rate) for layer, peak, rate in LAYERS],
    oracle=lambda macs, elements, peak, rate: bench.attainable(macs / elements / 2, peak, rate),
    hint="The intensity is FLOPs divided by bytes. Two roofs follow from it: which one holds?",
    wrong={
        "min( -> max(": "You take the higher of the two roofs. A layer is held back by the lower one.",
        "intensity * bandwidth": "This is the slope alone, which rises without end. What does the machine reach when "
        "numbers come fast enough?",
        "peak": "This is the flat roof alone. Can the numbers come fast enough for it?",
        "2 * macs -> macs": "These are MACs per byte. The roofs are in FLOPs, two for each MAC.",
        "4 *  -> ": "These are FLOPs per element. The bandwidth is in bytes, and a float32 number has four.",
        "intensity * -> 1 / intensity *": "The intensity is upside down: FLOPs for each byte, not bytes for each FLOP.",
    },
)
def layer_gflops(macs, elements, peak, bandwidth):
    intensity = 2 * macs / (4 * elements)  # FLOPs per byte
    return min(peak, intensity * bandwidth)


def parts(dense, depthwise, call, channels):
    share = cost.depthwise_conv2d(channels, 3, output_size=14).macs / cost.conv2d(channels, channels, 3, 14).macs
    return share * dense, call, depthwise - share * dense - call


@exercise(
    cases=[(384.0, 50.0, 30.0, 128), (64.0, 39.0, 28.5, 32), (7000.0, 400.0, 32.0, 512)],
    oracle=parts,
    hint="How many times fewer MACs than the dense layer has the depthwise one? The parts add up to its time.",
    wrong={
        "dense_us / channels -> dense_us / 9": "A ninth of the MACs is what the pointwise half has. The depthwise half "
        "keeps the kernel and drops the sum over the channels.",
        "depthwise_us - smallest_us, smallest_us, 0": "You take all but the call for arithmetic. At the dense layer's "
        "pace the arithmetic takes less, and something is left.",
        "smallest_us, arithmetic, rest": "The right parts in another order: first the arithmetic, then the call, then "
        "the rest.",
        " - arithmetic -> ": "Your parts add up to more than the layer's time: the arithmetic is still in the rest.",
    },
)
def depthwise_parts(dense_us, depthwise_us, smallest_us, channels):
    arithmetic = dense_us / channels  # that many times fewer MACs
    rest = depthwise_us - smallest_us - arithmetic
    return arithmetic, smallest_us, rest


@exercise(
    cases=[
        (14, 10, 40, 5, 50_000),
        (7, 12, 30, 6, 40_000),
        (28, 8, 45, 9, 10_000),
        (14, 60, 30, 20, 50_000),
        (10, 5, 12, 7, 100),  # with 2 channels both take 41 us
    ],
    oracle=lambda size, dense, depthwise, pointwise, pace: next(
        c for c in count(1) if (9 * c**2 - 9 * c - c**2) * size**2 > (depthwise + pointwise - dense) * pace
    ),
    hint="Each layer takes its call and its MACs divided by the pace. Try the channels one after the other.",
    wrong={
        "calls + halves / pace < dense_call + whole / pace -> halves < whole": "From here on the pair has fewer MACs. "
        "The calls cost time as well.",
        "depthwise_call + pointwise_call -> depthwise_call": "You count one call for the pair. It makes two.",
        "dense_call +  -> ": "The dense layer's own call costs time too.",
        ".macs -> .flops": "You divide FLOPs by the pace, which is in MACs per microsecond.",
        "c - 1": "One less than the answer: here the pair is not yet faster.",
        "pace < dense -> pace <= dense": "Once you give a number with which both take the same time. Asked is the "
        "first with which the pair is faster.",
    },
)
def pair_gains_from(size, dense_call, depthwise_call, pointwise_call, pace):
    for c in range(1, 10_000):
        whole = cost.conv2d(c, c, 3, size).macs
        halves = cost.depthwise_separable_conv2d(c, c, 3, size).macs
        calls = depthwise_call + pointwise_call
        if calls + halves / pace < dense_call + whole / pace:
            return c


QUIET = {"eager": (98, 100, 105), "channels_last": (108, 112, 116), "folded": (88, 92, 104)}
QUIET |= {"compiled": (60, 64, 70), "onnxruntime": (49, 50, 52)}
SHAKEN = {"eager": (80, 100, 130), "folded": (64, 66, 68), "compiled": (48, 50, 53)}
SHAKEN |= {"channels_last": (190, 200, 204), "onnxruntime": (29, 30, 33)}


def above_both_spreads(times):
    low, eager, high = times["eager"]
    found = {way: m for way, (q1, m, q3) in times.items() if eager * low > m * high and eager * q1 > m * q3}
    return sorted(found, key=found.get)


@exercise(
    cases=[(QUIET,), (SHAKEN,)],
    oracle=above_both_spreads,
    hint="For each way: eager's median divided by its own. Then the larger of the two spreads, q3 / q1.",
    wrong={
        'max(spread("eager"), spread(way)) -> 1': "You name every way with a smaller median. A factor that is nearer "
        "to 1 than the spread says little.",
        'max(spread("eager"), spread(way)) -> spread("eager")': "A way among these has a factor above eager's spread, "
        "but not above its own: its times are spread too.",
        'times["eager"][1] / times[way][1] -> times[way][1] / times["eager"][1]': "These are slower than eager: how "
        "many times as fast a way is, is eager's time divided by its own.",
        ", reverse=True -> ": "The right ways, but the slowest of them stands first.",
    },
)
def ways_that_help(times):
    def spread(way):
        q1, median, q3 = times[way]
        return q3 / q1

    def factor(way):
        return times["eager"][1] / times[way][1]

    found = []
    for way in times:
        if factor(way) > max(spread("eager"), spread(way)):
            found.append(way)
    return sorted(found, key=factor, reverse=True)


def intensities(channels, wide, size):
    weights = 2 * channels * wide + 9 * wide
    flops, ends, between = 2 * weights * size**2, 2 * channels * size**2, 4 * wide * size**2
    return flops / (4 * (weights + ends + between)), flops / (4 * (weights + ends))


@exercise(
    cases=[(24, 144, 56), (64, 384, 14), (16, 96, 28)],
    oracle=intensities,
    hint="cost prices each of the three layers. In one call the maps between them are neither written nor read.",
    wrong={
        "4 *  -> ": "These are FLOPs per element. A float32 number has four bytes.",
        "block.flops -> block.macs": "These are MACs per byte, and a MAC is two FLOPs.",
        "2 * 2 * wide -> 2 * wide": "Half of what is saved is missing: there are maps between layers 1 and 2 and "
        "between 2 and 3, and each of them is written by one layer and read by the next.",
        "2 * 2 * wide -> 2 * 2 * channels": "The maps between the layers are the wide ones.",
        "block.flops / in_one, block.flops / in_three": "The order is: in three calls, then in one.",
    },
)
def block_intensity(channels, wide, size):
    layers = [
        cost.pointwise_conv2d(channels, wide, size),
        cost.depthwise_conv2d(wide, 3, size),
        cost.pointwise_conv2d(wide, channels, size),
    ]
    block = sum(layers)
    between = 2 * 2 * wide * size**2  # 2 sets, written and read
    moved = block.elements_read + block.elements_written
    in_three, in_one = 4 * moved, 4 * (moved - between)  # bytes
    return block.flops / in_three, block.flops / in_one


class FakeFunction:
    """Notes its calls and does nothing else."""

    def __init__(self, name: str, called: list[str]):
        self.name, self.called = name, called

    def __call__(self):
        self.called.append(self.name)

    def __deepcopy__(self, memo):
        return self  # the fault must see what was called

    def __repr__(self):
        return self.name


class FakeStopwatch:
    """Times fake functions without a clock: the n-th call of ``name`` takes ``seconds[name][n]``."""

    def __init__(self, **seconds: list[float]):
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
        self.called.clear()  # every run of a case begins with a copy of it
        self.timed.clear()
        return self

    def __repr__(self):
        return "stopwatch"


def fault_of_timing(answer, functions, rounds, stopwatch):
    names, called, after = list(functions), stopwatch.called, stopwatch.called[len(functions) :]
    if not isinstance(answer, dict) or set(answer) != set(names) or not {*map(type, answer.values())} <= {int, float}:
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
            "The functions do not take turns, so a slow moment would meet one of them only. Call all of them before "
            "the first is timed, and make the loop over the rounds the outer one."
        )
    return fault_of_numbers(answer, stopwatch)


def fault_of_numbers(answer, stopwatch):
    """What was quoted in place of the medians of all calls but the first, "" if it is those medians."""
    counted = {name: taken[1:] for name, taken in stopwatch.seconds.items()}

    def quoted(kind, calls=counted):
        return not difference(answer, {name: kind(taken) for name, taken in calls.items()})

    if quoted(statistics.median):
        return ""
    if quoted(statistics.mean):
        return "These are the means: one slow moment of the machine moves a mean, and a median stays where it is."
    if quoted(min):
        return "These are the fastest calls. The median says how long a call takes as a rule: half were faster."
    if stopwatch.timed == stopwatch.called and quoted(statistics.median, stopwatch.seconds):
        return "The calls of the warm-up are among those whose median you take. They should not count."
    return (
        f"You give {described(answer)}. The median is the middle one in order of size; of an even number it is halfway "
        "between the middle two."
    )


WATCHES = [  # the first second of each list is that of the call that must not count
    FakeStopwatch(dense=[90, 3, 2, 5], pair=[70, 2, 50, 6]),
    FakeStopwatch(dense=[60, 4, 1, 8, 2], depthwise=[80, 3, 3, 40, 5], pair=[75, 6, 9, 7, 30]),
]


@exercise(
    cases=[(watch.functions, len(watch.seconds["pair"]) - 1, watch) for watch in WATCHES],
    fault=fault_of_timing,
    wrong={
        "        function() ->         pass": "must not count",
        "  function()\n    taken = {name: [] ->   pass\n    taken = {name: [stopwatch(functions[name])]": "warm-up are",
        "range(rounds) -> range(rounds - 1)": "should be called",
        "taken[name].append -> function(); taken[name].append": "is a call too",
        "for _ in range(rounds):\n        for name, function in functions.items(): -> "
        "for name, function in functions.items():\n        for _ in range(rounds):": "take turns",
        ".median -> .mean": "the means",
        "statistics.median -> min": "the fastest calls",
        "statistics.median(taken[name]) -> sorted(taken[name])[rounds // 2]": "halfway between",
        "stopwatch(function) -> bench.seconds_of(function)": "Nothing was timed",
        "taken": "a dictionary",
    },
)
def fair_times(functions, rounds, stopwatch=bench.seconds_of):
    # the first calls do not count
    for function in functions.values():
        function()
    taken = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            taken[name].append(stopwatch(function))
    return {name: statistics.median(taken[name]) for name in taken}
