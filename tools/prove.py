"""What versions could break, part by part: what `make prove` runs. Each part says what it fetches before it starts.

python -m tools.prove                every part but `with`
python -m tools.prove colab zoo      these parts
python -m tools.prove with 2.15.0    the library and the chapters with another torch, `newest`, or the `pinned` one
                                     with another Python, the one that runs this
"""

import sys

from tools.environments import python_of
from tools.steps import BUILD, NBVAL, ROOT, chapters, pytest, run_all

# Another processor adds in another order and changes last digits. These settings make this one behave like an old one,
# so that an output that holds here only is found here.
OLD_PROCESSOR = (
    "ATEN_CPU_CAPABILITY=default",
    "MKL_CBWR=COMPATIBLE",
    "NPY_DISABLE_CPU_FEATURES=X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "ONEDNN_MAX_CPU_ISA=SSE41",
    "OPENBLAS_CORETYPE=Nehalem",
)
LIBRARY = ("tests/library", "tests/course")
# Among the floors dslib is not installed, since notebooks install it; and old packages use what newer ones, which they
# did not know, have meanwhile deprecated.
OLD_WARNINGS = ("-W", "ignore::DeprecationWarning")
FLOORS = {"python": python_of("floors"), "before": (f"PYTHONPATH={ROOT}",)}
ZOO = ("tests/prove/test_timm.py", "tests/prove/test_zoo.py")


def install(*arguments: str) -> tuple[str, list[str]]:
    """The step that makes an environment."""
    return f"environment: {' '.join(arguments)}", [sys.executable, "-m", "tools.environments", *arguments]


# The steps of each part: name and command.
PARTS = {
    "colab": [
        install("colab"),
        ("every notebook from nothing, as in Colab", pytest("tests/prove/test_colab.py")),
    ],
    "floors": [
        install("floors"),
        ("every notebook from nothing, with the floors", pytest("tests/prove/test_floors.py")),
        ("library and course with the floors", pytest(*OLD_WARNINGS, *LIBRARY, **FLOORS)),
    ],
    "browsers": [
        ("Chromium", [sys.executable, "-m", "tools.browser"]),
        ("Firefox", [sys.executable, "-m", "tools.firefox"]),
        ("site", BUILD),
        (
            "pages in Firefox, in forced colors, without JavaScript",
            pytest(*(f"tests/prove/test_{name}.py" for name in ("firefox", "forced_colors", "no_javascript"))),
        ),
    ],
    "jupyterlab": [
        ("Chromium", [sys.executable, "-m", "tools.browser"]),
        install("jupyterlab"),
        ("notebooks opened in JupyterLab", pytest("tests/prove/test_jupyterlab.py")),
    ],
    "processor": [
        ("chapters as on an old processor", pytest(*NBVAL, *chapters(), before=OLD_PROCESSOR)),
    ],
    "random": [
        ("a thousand random prototxts", pytest("tests/prove/test_random_prototxt.py")),
        ("a thousand random answers", pytest("tests/prove/test_random_answers.py")),
    ],
    "frameworks": [
        install("frameworks"),
        ("chapter beside other frameworks", pytest(*NBVAL, *chapters("frameworks"), python=python_of("frameworks"))),
        (
            "Keras's MobileNet with the same weights",
            pytest("tests/prove/test_keras.py", python=python_of("frameworks"), before=("KERAS_BACKEND=tensorflow",)),
        ),
        ("prototxts read by protobuf", pytest("tests/prove/test_protobuf.py", python=python_of("frameworks"))),
    ],
    "zoo": [
        install("zoo"),
        ("networks as others write them", pytest(*ZOO, python=python_of("zoo"))),
        ("fused kernel in Triton's interpreter", pytest("tests/prove/test_fused.py", python=python_of("zoo"))),
    ],
}


def with_another(torch: str) -> list[tuple[str, list[str]]]:
    """The part `with`. It has to be told which torch, and may fetch gigabytes: it runs only when asked for."""
    return [
        install("with", torch),
        ("library and course", pytest(*LIBRARY, python=python_of("with"))),
        ("chapters", pytest(*NBVAL, *chapters(), python=python_of("with"))),
    ]


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["with"]:
        return run_all(with_another(*arguments[1:] or ["pinned"]))
    unknown = set(arguments) - set(PARTS)
    if unknown:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)} and with")
    return run_all([step for name in arguments or PARTS for step in PARTS[name]])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("interrupted")
