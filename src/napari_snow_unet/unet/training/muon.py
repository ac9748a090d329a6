"""Keras' Muon for convolutions: their kernels are taken as matrices."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class ConvolutionMuon(keras.optimizers.Muon):
    """Muon for the kernels of convolutions, Adam for biases and what is no convolution.

    Parameters
    ----------
    learning_rate : float or schedule
        Of both: the update of a kernel has the root mean square that Adam's usually has.
    weight_decay : float
        Decoupled, of the kernels that Muon updates.
    **more
        As for `keras.optimizers.Muon`.

    Notes
    -----
    A kernel of shape (height, width, inputs, outputs) is a matrix of height * width * inputs rows.
    Its momentum is replaced by the nearest orthogonal matrix, so that every direction of the
    kernel learns at the same pace; Keras' optimizer leaves arrays of four axes to Adam. In short
    trainings an epoch of it is worth several of AdamW's, in long ones it gains nothing, see
    docs/model-card.md. The last convolution, which has one output, is Adam's.

    References
    ----------
    Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks,
    https://kellerjordan.github.io/posts/muon/ (kernels as matrices, the last layer left out).
    Liu et al. (2025), arXiv:2502.16982 (the scale of the update).
    """

    def __init__(self, learning_rate: Any, weight_decay: float, **more: Any) -> None:
        super().__init__(
            learning_rate, weight_decay=weight_decay, adam_weight_decay=0.0, name="muon", **more
        )

    def _should_use_adamw(self, variable: Any) -> bool:
        return len(variable.shape) != 4 or variable.shape[-1] == 1

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, gradient + m * (self.momentum - 1))
        ahead = gradient + self.momentum * m if self.nesterov else m
        matrix = ops.reshape(ahead, (-1, variable.shape[-1]))
        update = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, ops.reshape(update, variable.shape))
