"""Networks on a processor by OpenVINO, which is there in a fifth of a second."""

from __future__ import annotations

import importlib
import platform
import queue
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.processes import usable_cores
from napari_snow_unet.unet.engine.device import onednn_may_use_bfloat16

if TYPE_CHECKING:
    import openvino

Floats = NDArray[np.float32]

_CORES_PER_WINDOW = 4  # more of them wait for each other more than they compute
_CONVERTER = "openvino.tools.ovc"
NO_NETWORKS = "networks cannot be used"
_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class Compiled:
    """A network for this processor: may be called from any thread, with the same bits every time.

    Parameters
    ----------
    pixels, probability : openvino.Node
        Its input, of `input_of`, and its output.
    precision : {"float32", "bfloat16"}
        Number format of its convolutions. It is always stated: else OpenVINO takes the fastest that
        the processor knows.

    Raises
    ------
    InputError
        If OpenVINO cannot compile it.
    """

    def __init__(self, pixels: Any, probability: Any, precision: str) -> None:
        import openvino

        self.windows = max(1, usable_cores() // _CORES_PER_WINDOW)  # that are computed at once
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": str(self.windows),
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
        }
        model = openvino.Model([probability], [pixels], "unet")
        try:
            self._compiled = openvino.Core().compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise _unusable(error) from error
        self.calls_at_once = self.windows + 1  # while one is computed, the next is prepared
        self._free: queue.SimpleQueue[openvino.InferRequest] = queue.SimpleQueue()
        for _ in range(self.calls_at_once):
            self._free.put(self._compiled.create_infer_request())

    def __call__(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute float32 (N, C, Y, X) to float32 (N, C, Y, X)."""
        with self._request() as request:
            return np.array(request.infer({0: planes}, share_inputs=True)[0])

    def release_memory(self) -> None:
        """Give back what the last windows took, unless another is being computed."""
        taken = []
        with suppress(queue.Empty):
            for _ in range(self.calls_at_once):
                taken.append(self._free.get_nowait())
            self._compiled.release_memory()
        for request in taken:
            self._free.put(request)

    @contextmanager
    def _request(self) -> Iterator[openvino.InferRequest]:
        request = self._free.get()
        try:
            yield request
        finally:
            self._free.put(request)


class Operators:
    """The steps of a network as OpenVINO's operators; see `unet.network.operators`."""

    def convolve(self, x: Any, kernel: Floats, bias: Floats) -> Any:
        """Convolve to the same size."""
        from openvino import opset15 as ops

        edge = [kernel.shape[-1] // 2] * 2
        x = ops.convolution(x, ops.constant(kernel), [1, 1], edge, edge, [1, 1])
        return ops.add(x, ops.constant(bias.reshape(1, -1, 1, 1)))

    def activate(self, x: Any, activation: str) -> Any:
        """Apply relu, elu, silu or sigmoid."""
        from openvino import opset15 as ops

        if activation == "elu":
            return ops.elu(x, 1.0)
        return {"relu": ops.relu, "silu": ops.swish, "sigmoid": ops.sigmoid}[activation](x)

    def halve(self, x: Any) -> Any:
        """Take the largest of every 2 x 2 pixels."""
        from openvino import opset15 as ops

        return ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)

    def double(self, x: Any, kernel: Floats, bias: Floats) -> Any:
        """Convolve transposed to double the size."""
        from openvino import opset15 as ops

        x = ops.convolution_backprop_data(x, ops.constant(kernel), strides=[2, 2])
        return ops.add(x, ops.constant(bias.reshape(1, -1, 1, 1)))

    def join(self, skip: Any, x: Any) -> Any:
        """Put channels behind each other."""
        from openvino import opset15 as ops

        return ops.concat([skip, x], 1)


def input_of(channels: int) -> Any:
    """Return the input of a network: windows of any number and size, (N, C, Y, X)."""
    ops = load_openvino().opset15
    return ops.parameter([-1, channels, -1, -1], np.float32, name="pixels")


def load_openvino() -> Any:
    """Import OpenVINO and return it; say what can be done where it cannot be loaded.

    Its converter of models is left out until it is called: it takes most of the time, and reports
    every import to its makers through openvino_telemetry, without asking.
    """
    first = "openvino" not in sys.modules and _CONVERTER not in sys.modules
    if first:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # what is None is not found
    try:
        openvino: Any = importlib.import_module("openvino")
    except Exception as error:  # a broken library fails in its own ways
        raise _unusable(error) from error
    finally:
        if first:
            sys.modules.pop(_CONVERTER, None)
    if not hasattr(openvino, "convert_model"):
        openvino.convert_model = _convert_model
    return openvino


def _convert_model(*arguments: Any, **options: Any) -> Any:
    """Convert a model for whoever else uses OpenVINO in this process."""
    return importlib.import_module(_CONVERTER).convert_model(*arguments, **options)


def _unusable(error: Exception) -> InputError:
    here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    said = " ".join(str(error).split())[:300]
    return InputError(
        f"{NO_NETWORKS} ({type(error).__name__}: {said}; {here})",
        expected="an installation of OpenVINO that can be imported",
        remedy="Use the model 'classical', which needs no network library; or reinstall with "
        "`pip install --force-reinstall openvino`.",
    )


def computes_bfloat16() -> bool:
    """Tell whether this processor multiplies bfloat16 in hardware, and OpenVINO may use that."""
    try:
        known = load_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except RuntimeError:  # told by whoever compiles
        return False
    return "BF16" in known and onednn_may_use_bfloat16()
