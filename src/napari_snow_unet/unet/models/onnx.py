"""Export of a network as ONNX, for other programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.unet.models import messages
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.operators import Arrays, compose

OPSET, IR_VERSION = 15, 8  # supported by ONNX Runtime since 1.10

Floats = NDArray[np.float32]


def write_onnx(
    config: UNetConfig,
    arrays: Arrays,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Path:
    """Write a network as ONNX: ``pixels`` to ``probability``, float32 (N, Y, X, C) in 0..1."""
    try:
        import onnx
    except ImportError as error:
        raise InputError(messages.onnx_missing(str(error))) from error
    graph = _Graph()
    planes = graph.add("Transpose", "pixels", perm=[0, 3, 1, 2])
    graph.add(
        "Transpose", compose(config, arrays, planes, graph), to="probability", perm=[0, 2, 3, 1]
    )
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "unet",
            [_value("pixels", config.channels)],
            [_value("probability", 1)],
            graph.weights,
        ),
        producer_name="napari-snow-unet",
        ir_version=IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
    )
    onnx.checker.check_model(model)
    with written_whole(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return Path(path)


def _value(name: str, channels: int) -> Any:
    import onnx

    shape = ["batch", "y", "x", channels]
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)


class _Graph:
    """The steps of a network as ONNX nodes; a map is the name of the node that outputs it."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, kind: str, *given: str, to: str = "", **settings: Any) -> str:
        import onnx

        to = to or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, given, [to], **settings))
        return to

    def _weight(self, array: Floats) -> str:
        import onnx

        name = f"weight_{len(self.weights)}"
        self.weights.append(onnx.numpy_helper.from_array(array, name))
        return name

    def convolve(self, x: str, kernel: Floats, bias: Floats) -> str:
        edge = [kernel.shape[-1] // 2] * 4
        return self.add("Conv", x, self._weight(kernel), self._weight(bias), pads=edge)

    def activate(self, x: str, activation: str) -> str:
        if activation == "silu":
            return self.add("Mul", x, self.add("Sigmoid", x))
        return self.add({"relu": "Relu", "elu": "Elu", "sigmoid": "Sigmoid"}[activation], x)

    def halve(self, x: str) -> str:
        return self.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])

    def double(self, x: str, kernel: Floats, bias: Floats) -> str:
        weights = self._weight(kernel), self._weight(bias)
        return self.add("ConvTranspose", x, *weights, strides=[2, 2])

    def join(self, skip: str, x: str) -> str:
        return self.add("Concat", skip, x, axis=1)
