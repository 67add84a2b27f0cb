"""Which layers of a prototxt are priced, what is named instead, and what is refused."""

import random
from pathlib import Path

import pytest

from dslib import caffe
from tests.support.caffe_networks import alexnet
from tests.support.random_prototxts import random_text

DATA = 'input: "data" input_shape { dim: 1 dim: 4 dim: 9 dim: 9 } '
ROW = "convolution_param { num_output: 2 kernel_size: 3 bias_term: false } }"
CONV = f'layer {{ name: "conv" type: "Convolution" bottom: "data" top: "conv" {ROW}'
NEXT = f'layer {{ name: "next" type: "Convolution" bottom: "conv" top: "next" {ROW}'


def totals(text, **phase):
    total = caffe.price(text, **phase).total
    return total.params, total.macs


# ---- inputs


@pytest.mark.parametrize(
    "head",
    [
        'input: "data" input_dim: 1 input_dim: 4 input_dim: 9 input_dim: 9',
        'input: "data" input_dim: [1, 4, 9, 9]',
        'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 4 dim: 9 dim: 9 } } }',
        'layer { type: "Input" top: "data" input_param { shape: < dim: [0x1, 04, 9, 9] > } }',
        'layer { type: "DummyData" top: "data" dummy_data_param { shape { dim: 1 dim: 4 dim: 9 dim: 9 } } }',
        'layer { type: "MemoryData" top: "data" top: "label" '
        "memory_data_param { batch_size: 1 channels: 4 height: 9 width: 9 } }",
        "\ufeff" + DATA,
    ],
)
def test_the_input_may_be_given_in_other_ways(head):
    assert totals(f"{head} {CONV}") == totals(DATA + CONV) == (72, 72 * 49)


@pytest.mark.parametrize(
    "head",
    [
        'input: "data" input: "info" input_shape { dim: [1, 4, 9, 9] } input_shape { dim: [1, 3] }',
        'input: "data" input: "more" input_dim: [1, 4, 9, 9] input_dim: [1, 4, 20, 20]',
        'layer { type: "Input" top: "data" top: "x" input_param { shape { dim: [1, 4, 9, 9] } shape { dim: 1 } } }',
        'layer { type: "Input" top: "data" top: "x" input_param { shape { dim: [1, 4, 9, 9] } } }',
        'layer { type: "Data" top: "label" } input: "data" input_shape { dim: [1, 4, 9, 9] }',
    ],
)
def test_several_inputs(head):
    assert totals(f"{head} {CONV}") == (72, 72 * 49)


def test_counts_are_for_one_image():
    text = DATA + CONV
    ten = text.replace("dim: 1 ", "dim: 10 ", 1)
    assert caffe.price(ten).total == caffe.price(text).total
    many = 'layer { type: "Reshape" bottom: "data" top: "many" reshape_param { shape { dim: [-1, 1, 9, 9] } } }'
    row = caffe.price(ten + many + NEXT.replace('bottom: "conv"', 'bottom: "many"')).rows[1].cost
    assert (row.params, row.macs, row.elements_read, row.elements_written) == (18, 4 * 18 * 49, 324 + 18, 4 * 98)
    half = 'layer { type: "Slice" bottom: "data" top: "a" top: "b" slice_param { axis: 0 slice_point: 3 } }'
    with pytest.raises(ValueError, match="does not do the same for each of 10 images: set the input's first dim to 1"):
        caffe.price(ten + half + NEXT.replace('bottom: "conv"', 'bottom: "a"'))


# ---- phases and formats


PHASES = """
layer { name: "%s" type: "Convolution" bottom: "data" top: "conv" %s
  convolution_param { num_output: 2 kernel_size: 3 bias_term: false } }"""


@pytest.mark.parametrize(
    "rule, phases",
    [
        ("", {"TRAIN", "TEST"}),
        ("include { phase: TRAIN }", {"TRAIN"}),
        ("include { phase: 1 }", {"TEST"}),
        ("include: { phase: TRAIN } include: { phase: TEST }", {"TRAIN", "TEST"}),
        ("exclude { phase: TRAIN }", {"TEST"}),
        ("include { phase: TEST stage: 'deploy' }", set()),
        ("include { not_stage: 'deploy' }", {"TRAIN", "TEST"}),
        ("exclude { stage: 'deploy' }", {"TRAIN", "TEST"}),
        ("include { min_level: 1 }", set()),
        ("include { max_level: 0 }", {"TRAIN", "TEST"}),
    ],
)
def test_a_layer_is_there_in_its_phases(rule, phases):
    text = DATA + PHASES % ("one", rule)
    assert {phase for phase in ("TRAIN", "TEST") if caffe.price(text, phase=phase).rows} == phases
    assert caffe.price(text) == caffe.price(text, phase="TEST")


def test_the_state_of_the_text_has_stages():
    text = DATA + "state { stage: 'deploy' level: 2 }" + PHASES % ("one", "include { stage: 'deploy' min_level: 1 }")
    assert len(caffe.price(text).rows) == 1


@pytest.mark.parametrize("phase", ["test", None, 1, ["TEST"]])
def test_there_are_two_phases(phase):
    with pytest.raises(ValueError, match="phase must be 'TEST' or 'TRAIN', got "):
        caffe.price(DATA, phase=phase)


V1 = """
layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" blobs_lr: 1 weight_decay: 1
  convolution_param { num_output: 2 kernel_size: 3 bias_term: false } }
layers { name: "relu" type: RELU bottom: "conv" top: "conv" }
layers { name: "norm" type: LRN bottom: "conv" top: "norm" }
layers { name: "fc" type: INNER_PRODUCT bottom: "norm" top: "fc" inner_product_param { num_output: 3 } }
layers { name: "loss" type: SOFTMAX_LOSS bottom: "fc" top: "loss" include: { phase: TRAIN } }
layers { name: "prob" type: SOFTMAX bottom: "fc" top: "prob" include: { phase: TEST } }
"""


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_the_format_that_was_current_until_january_2015_is_read(phase):
    net = caffe.price(DATA + V1, phase)
    assert [(row.name, row.kind, row.cost.macs) for row in net.rows] == [
        ("conv", "standard", 72 * 49),
        ("fc", "linear", 98 * 3),
    ]
    assert net.uncounted == ()


# ---- what is named


def conv_of(bottom, more=""):
    return CONV.replace('bottom: "data"', f'bottom: "{bottom}"').replace('"conv"', f'"of {bottom}"') + more


def test_an_unknown_type_is_named_and_taken_to_keep_the_shape():
    net = caffe.price(DATA + 'layer { name: "m" type: "Mish2" bottom: "data" top: "data" }' + CONV)
    assert (net.total.params, net.total.macs) == (72, 72 * 49)
    assert [(layer.name, layer.type) for layer in net.uncounted] == [("m", "Mish2")]
    assert str(net.uncounted[0]) == "m (Mish2): no price is known for this type; taken to keep its map's shape"


@pytest.mark.parametrize(
    "layer",
    [
        'layer { name: "m" type: "My" bottom: "data" bottom: "data" top: "m" }',
        'layer { name: "m" type: "My" bottom: "data" top: "m" top: "n" }',
        'layer { name: "m" type: "My" bottom: "data" top: "m" my_param { num_output: 3 } }',
        'layer { name: "m" type: "My" bottom: "data" top: "m" param { lr_mult: 1 } }',
        'layer { name: "m" type: "My" bottom: "data" top: "m" my_param { weight_filler { } } }',
        'layer { name: "m" type: "Python" top: "m" python_param { module: "x" } }',
        'layer { name: "m" type: "PriorBox" bottom: "data" bottom: "data" top: "m" }',
        'layer { name: "m" type: "LSTM" bottom: "data" top: "m" recurrent_param { num_output: 8 } }',
    ],
)
def test_what_reads_a_map_of_unknown_shape_is_named_too_if_it_costs_anything(layer):
    relu = 'layer { name: "r" type: "ReLU" bottom: "m" top: "r" }'
    join = 'layer { name: "j" type: "Concat" bottom: "data" bottom: "r" top: "j" }'
    net = caffe.price(DATA + CONV + layer + relu + join + conv_of("j"))
    assert [row.name for row in net.rows] == ["conv"]
    assert [layer.name for layer in net.uncounted] == ["m", "of j"]
    assert net.uncounted[0].reason == "no price is known for this type; what reads it cannot be priced"
    assert net.uncounted[1].reason == "the shape of 'j' is not known"


def test_a_head_of_a_detector_is_named():
    text = (
        'layer { name: "p" type: "PriorBox" bottom: "conv" bottom: "data" top: "p" }'
        'layer { name: "f" type: "Flatten" bottom: "conv" top: "f" }'
        'layer { name: "out" type: "DetectionOutput" bottom: "f" bottom: "p" top: "out" }'
    )
    net = caffe.price(DATA + CONV + text)
    assert [(layer.name, layer.type) for layer in net.uncounted] == [("p", "PriorBox"), ("out", "DetectionOutput")]
    assert net.total.params == 72


def test_a_last_layer_whose_shape_nothing_needs_is_free():
    last = 'layer { name: "best" type: "ArgMax" bottom: "conv" top: "best" argmax_param { axis: 1 } }'
    assert caffe.price(DATA + CONV + last) == caffe.price(DATA + CONV)
    assert [layer.name for layer in caffe.price(DATA + CONV + last + conv_of("best")).uncounted] == ["of best"]


def test_layers_for_training_cost_nothing():
    text = (
        'layer { type: "Data" top: "label" }'
        'layer { type: "Accuracy" bottom: "conv" bottom: "label" top: "accuracy" }'
        'layer { type: "SoftmaxWithLoss" bottom: "conv" bottom: "label" }'
        'layer { type: "Silence" bottom: "label" }'
    )
    net = caffe.price(DATA + CONV + text)
    assert totals(DATA + CONV) == (net.total.params, net.total.macs) and net.uncounted == ()


def test_a_loss_is_one_number():
    loss = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "data" bottom: "data" top: "loss" }'
    one = 'layer { name: "r" type: "Reshape" bottom: "loss" top: "one" reshape_param { shape { dim: [1, 1] } } }'
    last = 'layer { name: "f" type: "InnerProduct" bottom: "one" top: "y" inner_product_param { num_output: 3 } }'
    assert totals(DATA + loss + one + last) == (1 * 3 + 3, 3)


def test_blobs_that_layers_share_count_once():
    def of(name, params):
        inside = "convolution_param { num_output: 2 kernel_size: 3 }"
        return f'layer {{ name: "{name}" type: "Convolution" bottom: "data" top: "{name}" {params} {inside} }}'

    rows = caffe.price(
        DATA
        + of("a", "param { name: 'w' } param { name: 'b' }")
        + of("b", "param { name: 'w' lr_mult: 2 } param { lr_mult: 1 }")
        + of("c", "param { name: 'w' } param { name: 'b' }")
    ).rows
    assert [row.cost.params for row in rows] == [74, 2, 0]
    assert len({(row.cost.macs, row.cost.elements_read) for row in rows}) == 1
    first = V1[: V1.index('layers { name: "relu"')].replace("blobs_lr: 1", 'param: "w"')
    old = caffe.price(DATA + first + first.replace('"conv"', '"again"')).rows
    assert [row.cost.params for row in old] == [72, 0]
    nameless = caffe.price(DATA + of("a", "param { name: '' }") + of("b", "param { name: '' }")).rows
    assert [row.cost.params for row in nameless] == [74, 74]
    with pytest.raises(ValueError, match="layer 'b' .*: shares 'w', which has 72 numbers, and needs 108"):
        caffe.price(
            DATA + of("a", "param { name: 'w' }") + of("b", "param { name: 'w' }").replace("output: 2", "output: 3")
        )


# ---- what is refused


TRAIN_VAL = """
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { crop_size: 224 } data_param { source: "train_lmdb" batch_size: 32 backend: LMDB } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST } data_param { source: "val_lmdb" } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 2 kernel_size: 3 } }
"""


@pytest.mark.parametrize(
    "text",
    [
        TRAIN_VAL,
        'net: "train_val.prototxt" base_lr: 0.01 lr_policy: "step" solver_mode: GPU test_iter: 100',
        'item { name: "none" label: 0 display_name: "background" } item { name: "cat" label: 1 }',
        CONV,
        "",
        "# nothing",
        "layers { type: CONVOLUTION }",
    ],
)
@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_a_text_without_an_input_is_refused(text, phase):
    with pytest.raises(ValueError) as caught:
        caffe.price(text, phase)
    assert str(caught.value) == "this text has no input: is it a deploy file?"


@pytest.mark.parametrize(
    "text, said",
    [
        ('input: "x"', r"the text names the inputs \['x'\], and gives them the shapes \[\]"),
        ('input: "x" input_dim: [1, 3, 9]', r"names the inputs \['x'\], and gives them the shapes \[\(1, 3, 9\)\]"),
        ('input: "x" input_shape { dim: [1, 0, 9, 9] }', "dim must be at least 1, got 0"),
        ('input: "x" input_shape { dim: [1, "3"] }', "dim must be a whole number, got '3'"),
        ("input: 3", "input must be a text, got 3"),
        ("layer: 3", "layer must be a message in braces, got 3"),
        ("layer { } layers { }", "the text has fields layer and layers"),
        (
            'layers { layer { type: "conv" } bottom: "data" }',
            "Caffe's first format: upgrade it with Caffe's own tools",
        ),
        (DATA + CONV + CONV, r"^layer 'conv' \(Convolution\): makes 'conv', which is there already"),
        (DATA + NEXT, r"^layer 'next' \(Convolution\): reads 'conv', which nothing before it makes"),
        (DATA + "layer { }", r"^layer 'number 1' \(\?\): there is no type"),
        (DATA + 'layer { name: "a" type: 3 }', r"^layer 'a' \(\?\): type must be a text, got 3"),
        (
            DATA + 'layer { name: "a" type: "ReLU" bottom: "data" }',
            r"^layer 'a' \(ReLU\): makes nothing: it has no top",
        ),
        (DATA + 'layer { name: "a" type: "ReLU" top: "a" }', r"^layer 'a' \(ReLU\): reads nothing: it has no bottom"),
    ],
)
def test_a_text_that_is_no_network_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        caffe.price(text)


@pytest.mark.parametrize(
    "kind, inside, said",
    [
        ("Convolution", "num_output: 4 kernel_size: 9 dilation: 2", "kernel larger than the padded input: kernel_"),
        ("Convolution", "num_output: 4 kernel_size: 1 group: 3", "groups must divide .* groups=3, in_channels=4"),
        ("Convolution", "num_output: 4", "there is no kernel_size"),
        ("Convolution", "num_output: 4 kernel_h: 3", "there is no kernel_w"),
        ("Convolution", "kernel_size: 3", "there is no num_output"),
        ("Convolution", "num_output: 4 num_output: 5 kernel_size: 3", "num_output stands 2 times, and may stand once"),
        ("Convolution", "num_output: 0 kernel_size: 3", "num_output must be at least 1, got 0"),
        ("Convolution", f"num_output: 0x{'f' * 9999} kernel_size: 3", "num_output .* 64 bits, got a longer"),
        ("Convolution", f"num_output: {2**63} kernel_size: 3", f"num_output .* 64 bits, got {2**63}"),
        ("Convolution", "num_output: 2.5 kernel_size: 3", "num_output must be a whole number, got 2.5"),
        ("Convolution", "num_output: true kernel_size: 3", "num_output must be a whole number, got True"),
        ("Convolution", "num_output: 4 kernel_size: 3 stride: 0", "stride must be at least 1, got 0"),
        ("Convolution", "num_output: 4 kernel_size: 3 pad: -1", "pad must be at least 0, got -1"),
        ("Convolution", "num_output: 4 kernel_size: 3 pad: 1 pad_h: 1", "pad stands beside pad_h or pad_w"),
        ("Convolution", "num_output: 4 kernel_size: [3, 3, 3]", "kernel_size has 3 numbers for maps of 2 axes"),
        ("Convolution", "num_output: 4 kernel_size: 3 pad_left: 1", "pad_left is not a setting that can be priced"),
        ("Convolution", "num_output: 4 kernel_size: 3 axis: 2", "axis 2 is not priced"),
        ("Convolution", "num_output: 4 kernel_size: 3 bias_term: no", "bias_term must be true or false, got 'no'"),
        ("Convolution", "num_output: 4 kernel_size: 3 bias_term: 2", "bias_term must be true or false, got 2"),
        ("ConvolutionDepthwise", "kernel_size: 3 group: 2", "has a group for each of its 4 channels, not group 2"),
        ("Deconvolution", "num_output: 4 kernel_size: 1 pad: 9", r"makes a map of \(1, 4, -9, -9\)"),
        ("Pooling", "kernel_size: 12 stride: 1", "pools windows of 12 from 9 pixels"),
        ("Pooling", "kernel_size: 2 round_mode: UP", "round_mode must be CEIL or FLOOR, got 'UP'"),
        ("InnerProduct", "num_output: 3 axis: 4", r"axis must be one of the axes of \(1, 4, 9, 9\), got 4"),
        ("Slice", "slice_point: [1, 2]", r"cannot slice 4 into 1 tops at \[1, 2\]"),
        ("Slice", "slice_point: 4", r"cannot slice 4 into 1 tops"),
        ("Concat", "axis: 5", "axis must be one of the axes"),
        ("Reshape", "shape { dim: [1, 5] }", "cannot reshape the 324 numbers of .* to .*5"),
        ("Reshape", "shape { dim: [-1, -1] }", r"cannot reshape \(1, 4, 9, 9\) to \[-1, -1\]"),
        ("Reshape", "shape { dim: [0, 0, 0, 0, 0] }", "cannot reshape"),
        ("Reshape", "shape { dim: [1] } axis: 3 num_axes: 2", "cannot reshape"),
        ("Permute", "order: [0, 0]", r"order \[0, 0, 1, 2, 3\] does not fit"),
        ("Crop", "axis: 1", "reads 1 maps where 2 can be priced"),
        ("Interp", "height: 3", "there is no width"),
        ("Interp", "pad_beg: -20", r"makes a map of \(1, 4, -11, -11\)"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused(kind, inside, said):
    param = {"InnerProduct": "inner_product"}.get(kind, "convolution" if "onv" in kind else kind.lower())
    layer = f'layer {{ name: "a" type: "{kind}" bottom: "data" top: "a" {param}_param {{ {inside} }} }}'
    with pytest.raises(ValueError, match=rf"^layer 'a' \({kind}\): {said}"):
        caffe.price(DATA + layer)


@pytest.mark.parametrize(
    "layer, said",
    [
        ('type: "Eltwise" bottom: "data" bottom: "conv"', r"needs maps of one shape, reads \(1, 4, 9, 9\), \(1, 2"),
        ('type: "Concat" bottom: "data" bottom: "conv"', "stacks maps along axis 1 that differ in another"),
        ('type: "Crop" bottom: "conv" bottom: "data"', r"cannot crop \(1, 2, 7, 7\) to \(1, 4, 9, 9\) from axis 2 on"),
        ('type: "Convolution" bottom: "conv" bottom: "conv"', "reads 2 maps where 1 can be priced"),
        ('type: "BN" bottom: "data" bn_param { } bn_param { }', "bn_param stands 2 times, and may stand once"),
        ('type: "BN" bottom: "data" bn_param: 3', "bn_param must be a message in braces, got 3"),
        ('type: "BN" bottom: "data" param { name: { } }', "name must be a text, got {}"),
        ('type: "ReLU" bottom: 5', "bottom must be a text, got 5"),
    ],
)  # fmt: skip
def test_layers_that_do_not_fit_their_maps_are_refused(layer, said):
    with pytest.raises(ValueError, match=rf"^layer 'a' \(.*\): {said}"):
        caffe.price(DATA + CONV + f'layer {{ name: "a" top: "a" {layer} }}')


@pytest.mark.parametrize("text", [b"layer { }", None, 5, ["layer"], {"layer": {}}])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(ValueError, match=f"a prototxt is a text, a str, got {type(text).__name__}"):
        caffe.price(text)


def test_a_path_in_place_of_a_text_and_a_text_in_place_of_a_path():
    for path in ("nets/deploy.prototxt", Path("nets") / "deploy.prototxt"):
        with pytest.raises(ValueError, match="that is a path; pass its text, or use price_file"):
            caffe.price(path)
    with pytest.raises(ValueError, match="that is a text; pass the path of a file, or use price"):
        caffe.price_file(DATA + CONV)
    for path in (None, 5):
        with pytest.raises(ValueError, match=f"the path of a file is a str, got {type(path).__name__}"):
            caffe.price_file(path)


def test_a_file_may_have_a_mark_at_its_beginning_and_comments_in_any_encoding(tmp_path):
    file = tmp_path / "deploy.prototxt"
    file.write_bytes(b"\xef\xbb\xbf# \xc4\xe3\xba\xc3\r\n" + alexnet().encode())
    assert caffe.price_file(file) == caffe.price_file(str(file)) == caffe.price(alexnet())
    file.write_bytes(caffe.write_caffemodel({"a": [[1.0]]}))
    with pytest.raises(ValueError, match="line 1 of the prototxt: did not expect"):
        caffe.price_file(file)
    with pytest.raises(FileNotFoundError):
        caffe.price_file(tmp_path / "none.prototxt")


@pytest.mark.parametrize("seed", range(60))
def test_a_random_text_is_priced_or_refused(seed):
    text = random_text(random.Random(seed))
    try:
        net = caffe.price(text, random.Random(seed).choice(["TEST", "TRAIN"]))
    except ValueError as error:
        assert str(error)
    else:
        assert net.total.macs >= 0
