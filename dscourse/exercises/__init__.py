"""Self-checks for the reader's own code: one ``check_...(reader_function)`` for each exercise of the book.

A check runs the function on several cases and gives a :class:`Feedback`: whether it is right and, if not, what is
wrong, in words. The exercise and its solution stand at the end of the chapter that the check's module is named after.
"""

# ruff: noqa: F401 - the checks are imported for the reader; __all__ below holds them

from .accuracy import (
    check_honest_error,
    check_images_needed,
    check_more_layers,
    check_paired_interval,
    check_points_gained,
    check_two_errors,
)
from .across_frameworks import (
    check_group_setting,
    check_keras_to_torch,
    check_lost_groups,
    check_memory_places,
    check_tensorflow_same,
    check_write_caffe_pair,
)
from .claims_checked import (
    check_counterexample,
    check_dense_to_pair,
    check_how_printed,
    check_two_are_cheaper,
    check_verdict_from,
    check_what_was_counted,
)
from .cost_analysis import (
    check_break_even_channels,
    check_count_verdict,
    check_fused_elements,
    check_network_price,
    check_pair_price,
    check_share_left,
)
from .counting_in_practice import (
    check_count_modules,
    check_hidden_pointwise,
    check_layer_operations,
    check_reported_count,
    check_rules_that_fit,
    check_training_step_macs,
)
from .depthwise_convolution import (
    check_align_colours,
    check_channels_read,
    check_depthwise_by_hand,
    check_depthwise_cost,
    check_depthwise_padding,
    check_merge_depthwise,
)
from .depthwise_separable_convolution import (
    check_close_pair,
    check_edge_pair,
    check_needed_multiplier,
    check_pair_shapes,
    check_separable_by_hand,
    check_swapped_weight,
)
from .feedback import Feedback
from .ghostnet import (
    check_ghost_least_channels,
    check_ghost_maps,
    check_ghost_resnet_50,
    check_ghost_speed_up,
    check_grey_twins,
    check_separable_within,
)
from .group_convolution import (
    check_diagonal_blocks,
    check_grouped_conv,
    check_grouped_cost,
    check_grouped_weight_shape,
    check_groups_fit,
    check_shuffle_mixes,
)
from .mobilenet_v1 import (
    check_fitting_counts,
    check_fold_norm,
    check_mobilenet_macs,
    check_mobilenet_pair,
    check_mobilenet_params,
    check_mobilenet_width,
)
from .pointwise_convolution import (
    check_pixel_change,
    check_pointwise_by_matrix,
    check_pointwise_cost,
    check_times_depthwise,
    check_turn_colours,
    check_undo_mixing,
)
from .standard_convolution import (
    check_conv2d_by_hand,
    check_conv_macs,
    check_conv_params,
    check_output_side,
    check_redness,
    check_weight_shape,
)
from .theory_and_silicon import (
    check_block_intensity,
    check_depthwise_parts,
    check_fair_times,
    check_layer_gflops,
    check_pair_gains_from,
    check_ways_that_help,
)

__all__ = [name for name in globals() if name.startswith("check_")] + ["Feedback"]
