"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

WRONG = {
    "layer_operations": [
        ("numbers * products, numbers", "numbers * (products + 1), numbers", "multiplies nothing"),
        ("in_channels // groups", "in_channels", "groups are not used"),
        ("(products + 1)", "products", "either the biases are missing"),
        ("numbers * (products + 1)", "numbers * products + out_channels", "one bias for each map"),
        ("(products + 1)", "(products + in_channels // groups)", "bias for every kernel"),
        ("out_size**2", "out_size", "How many numbers"),
    ],
    "training_step_macs": [
        ("forward[1:]", "forward", "gradient of the image too"),
        ("sum(forward) + weights + inputs", "2 * sum(forward)", "Twice the forward pass"),
        ("sum(forward) + weights + inputs", "weights + inputs", "you have two"),
        ("forward[1:]", "forward[:-1]", "the first"),
        ("sum(forward)  # for", "sum(forward[1:])  # for", "left out of the backward pass"),
        (" + weights + inputs", "", "This is the forward pass"),
        ("sum(forward) + weights", "sum(forward) + 2 * weights", "for the gradient of its weight"),
    ],
    "reported_count": [
        ("report.macs // size[0]", "report.macs", "whole batch"),
        ("report.macs // size[0]", "report.flops // size[0]", "FLOPs"),
        ("report.params", "sum(row.params for row in report.rows)", "Norms have parameters too"),
        ("report.other + report.uncounted", "report.other", "no price is missing"),
        ("report.other + report.uncounted", "report.uncounted", "activations and pools"),
        ("report.params", "sum(v.numel() for v in model.state_dict().values())", "running statistics"),
        ("sorted(entry.operation for entry in left_out)", "[entry.operation for entry in left_out]", "alphabetical"),
        ("entry.operation for", "entry.elements for", "in the report of counting.count"),
    ],
    "rules_that_fit": [
        ("(1, 2), (0, 1)", "(1,), (0, 1)", "doubled MACs"),
        ("range(5)", "range(4)", "four times"),
        ("(1, 2), (0, 1)", "(1, 2), range(3)", "outside the limits"),
        ("(1, 2), (0, 1)", "(1, 2), (0,)", "different rules"),
        ("numbers == printed", "numbers[0] == printed[0]", "must fit all"),
        ("numbers == printed", "True", "the tool printed"),
        ("found.append((m, b, e, p))", "found.append([m, b, e])", "tuple of four"),
    ],
    "hidden_pointwise": [
        (".sum(2)", "", "These are the products"),
        (".sum(2)", ".sum(1)", "over the output channels"),
        (".sum(2)", ".mean(2)", "A mean is"),
        (".sum(2)", ".sum(2).relu()", "Output map o is"),
        (
            "products.sum(2)",
            'torch.einsum("nchw,oc->nohw", maps, weight)',
            "still sees",
        ),
    ],
    "count_modules": [
        ("return sum(found)", "return 2 * sum(found)", "FLOPs"),
        (
            "module.weight[0].numel())",
            "(module.weight[0].numel() + (module.bias is not None)))",
            "You count the biases",
        ),
        (
            "module.weight[0].numel())",
            "module.weight[0].numel() * getattr(module, 'groups', 1))",
            "groups are forgotten",
        ),
        (
            "module.weight[0].numel())",
            "(module.weight[0, :, :, 0].numel() * module.kernel_size[0] if module.weight.ndim == 4 else "
            "module.in_features))",
            "both sides",
        ),
        (
            "output.numel()",
            "(inputs[0][:, 0].numel() * len(module.weight) if isinstance(module, nn.Conv2d) else output.numel())",
            "from a convolution's input",
        ),
        (
            "found.append(",
            "first = not hasattr(module, 'seen')\n        module.seen = True\n        found.append(first * ",
            "count calls, not modules",
        ),
        (
            "output.numel()",
            "(output.numel() if isinstance(module, nn.Conv2d) else module.out_features)",
            "counted for one vector",
        ),
        ("nn.Conv2d, nn.Linear", "nn.Conv2d", "nn.Linear is not counted"),
        ("return sum(found)", "return sum(found) // len(x)", "MACs of one image"),
        ("hook.remove()", "pass", "still on the model"),
        ("return sum(found)", "return counting.count(model, x).macs", "F.conv2d too"),
        ("model.modules()", "model.children()", "inside other modules"),
        ("found, hooks = [], []", "found, hooks = [], []\n    model.eval()", "in evaluation mode"),
    ],
}
