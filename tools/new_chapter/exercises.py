"""The exercises of the chapter {title}."""

from dscourse.checks.exercise import exercise


@exercise(
    cases=[(3, 8), (16, 16)],
    oracle=lambda c_in, c_out: sum(1 for _ in range(c_in) for _ in range(c_out)),
    hint="TODO: what is said to every wrong answer that is not listed below.",
    wrong={
        "in_channels + out_channels": "TODO: what this reader did, and why it is wrong.",
        " * out_channels -> ": "TODO: another wrong answer that many will give.",
    },
)
def kernel_count(in_channels, out_channels):
    return in_channels * out_channels
