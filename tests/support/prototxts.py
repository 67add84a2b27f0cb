"""Texts in the text format of protocol buffers with what they mean, and texts that are none.

A field's name says what it holds: ``i`` whole numbers, ``d`` floats, ``s`` texts, ``b`` bools, ``w`` words, ``m``
messages. So protobuf's own parser can read them too.
"""

from dslib.caffe import Word

INF = float("inf")

MEANS = {
    "": {},
    "# a comment: { only": {},
    "i: 1 # one\ni: 2": {"i": [1, 2]},
    "i:1;i:2,i:3": {"i": [1, 2, 3]},
    "i: [1, 3, 224, 224]": {"i": [1, 3, 224, 224]},
    "i: []": {},
    "i: [7]": {"i": 7},
    "i: [1] i: 2": {"i": [1, 2]},
    "i: 0x10 i: 0XfF i: 017 i: -0x10 i: 0": {"i": [16, 255, 15, -16, 0]},
    "d: 1.5 d: .5 d: 2. d: 1e3 d: 1.5E-2 d: 1f d: 2.5F d: -1e+2": {"d": [1.5, 0.5, 2.0, 1e3, 0.015, 1.0, 2.5, -100.0]},
    "d: inf d: -inf d: Infinity d: -INFINITY": {"d": [INF, -INF, INF, -INF]},
    "b: true b: false b: True b: False": {"b": [True, False, True, False]},
    "w: MAX w: AVE": {"w": [Word("MAX"), Word("AVE")]},
    "s: 'it' s: \"it's\" s: 'say \"a\"' s: ''": {"s": ["it", "it's", 'say "a"', ""]},
    "s: 'one ' \"two \"\n  # still\n  'three'": {"s": "one two three"},
    r"s: 'a\n\t\r\a\b\f\v\\\'\"'": {"s": "a\n\t\r\a\b\f\v\\'\""},
    r"s: '\101\x42\7'": {"s": "AB\7"},
    r"s: '\303\274' s: '\xc3\xbc' s: 'ü'": {"s": ["ü", "ü", "ü"]},
    r"s: '\u00fc\U0001f600'": {"s": "ü😀"},
    r"s: '\x4ag' s: '\1011'": {"s": ["Jg", "A1"]},
    r"s: '\u00fcu0041'": {"s": "üu0041"},
    "s: '# no comment { } : ,'": {"s": "# no comment { } : ,"},
    "s: ['a' 'b', 'c']": {"s": ["ab", "c"]},
    "m { i: 1 }": {"m": {"i": 1}},
    "m: { i: 1 }": {"m": {"i": 1}},
    "m < i: 1 >": {"m": {"i": 1}},
    "m { m < m { } > }, m: <>;": {"m": [{"m": {"m": {}}}, {}]},
    "m: [{ i: 1 }, < i: 2 >]": {"m": [{"i": 1}, {"i": 2}]},
    "m [{ i: 1 }]": {"m": {"i": 1}},
    "m{i:1}m{i:2}": {"m": [{"i": 1}, {"i": 2}]},
    "\ti\f:\v1\r\ni:2": {"i": [1, 2]},
}
# The specification has these too, but protobuf's parser in Python does not know them.
MEANS_IN_C = {
    "i: - 3": {"i": -3},
    "i: -  # minus\n 5": {"i": -5},
    r"s: '\X43\?'": {"s": "C?"},
    r"s: '\ud83d\ude00'": {"s": "😀"},
}
NOT_TEXTS = [
    "m {\n i: 1\n",
    "i: 1\n}",
    "m { i: 1 >",
    "i: 1\nnum: = 3",
    "i 1 }",
    "m {\n i\n}",
    "i:",
    "{ }",
    ": 1",
    "i: 1,, i: 2",
    ", i: 1",
    "i: [1, ]",
    "i: [1 2]",
    "i: [1; 2]",
    "i: [[1]]",
    "i: 09",
    "i: 0x",
    "i: 12ab",
    "d: 1.2.3",
    "d: 1e",
    "i: --1",
    "i: -w",
    "i: -'1'",
    "s: 'open",
    "s: 'over\nlines'",
    r"s: '\400'",
    r"s: '\ud83d'",
    r"s: '\U00110000'",
    r"s: '\x'",
    "i: 1 = 2",
    "i: \0",
    "9: 1",
]
NOT_TEXTS_IN_C = [r"s: '\q'", "i: \xa01"]
