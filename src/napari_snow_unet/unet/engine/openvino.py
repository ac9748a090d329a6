"""Networks on a processor with OpenVINO, which loads in a fifth of a second."""

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
from napari_snow_unet.unet.engine import messages
from napari_snow_unet.unet.engine.device import onednn_may_use_bfloat16

if TYPE_CHECKING:
    import openvino

Floats = NDArray[np.float32]

_CORES_PER_WINDOW = 4  # with more, cores mostly wait for each other
_CONVERTER = "openvino.tools.ovc"
_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class NetworksUnusableError(InputError):
    """OpenVINO cannot be loaded, or cannot compile networks on this computer."""

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the class when the error crosses a process boundary."""
        return type(self), (self.message,)


class Compiled:
    """A network compiled for this processor; thread-safe, and its results are reproducible.

    Parameters
    ----------
    pixels, probability : openvino.Node
        Its input, from `input_of`, and its output.
    precision : {"float32", "bfloat16"}
        Number format of its convolutions. Always set, since OpenVINO's default is the fastest
        format of the processor.

    Raises
    ------
    NetworksUnusableError
        If OpenVINO cannot compile it.
    """

    def __init__(self, pixels: Any, probability: Any, precision: str) -> None:
        import openvino

        self.windows = max(1, usable_cores() // _CORES_PER_WINDOW)  # computed at once
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
        """Release the memory of the last windows, unless one is being computed."""
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
    """The steps of a network as OpenVINO operators; see `unet.network.operators`."""

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
        """Take the maximum of every 2 x 2 pixels."""
        from openvino import opset15 as ops

        return ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)

    def double(self, x: Any, kernel: Floats, bias: Floats) -> Any:
        """Double the size by a transposed convolution."""
        from openvino import opset15 as ops

        x = ops.convolution_backprop_data(x, ops.constant(kernel), strides=[2, 2])
        return ops.add(x, ops.constant(bias.reshape(1, -1, 1, 1)))

    def join(self, skip: Any, x: Any) -> Any:
        """Concatenate channels."""
        from openvino import opset15 as ops

        return ops.concat([skip, x], 1)


def input_of(channels: int) -> Any:
    """Return the input node of a network: any number of windows of any size, (N, C, Y, X)."""
    ops = load_openvino().opset15
    return ops.parameter([-1, channels, -1, -1], np.float32, name="pixels")


def load_openvino() -> Any:
    """Import OpenVINO without its converter and telemetry, and return it.

    The converter of models is loaded only when it is called: it takes most of the time, and reports
    every import to its makers through openvino_telemetry, without consent.

    Raises
    ------
    NetworksUnusableError
        If OpenVINO cannot be imported.
    """
    first = "openvino" not in sys.modules and _CONVERTER not in sys.modules
    if first:
        sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # blocks the import
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
    """Convert a model for other users of OpenVINO in this process."""
    return importlib.import_module(_CONVERTER).convert_model(*arguments, **options)


def _unusable(error: Exception) -> NetworksUnusableError:
    here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return NetworksUnusableError(messages.networks_unusable(reason, here))


def computes_bfloat16() -> bool:
    """Tell whether this processor multiplies bfloat16 in hardware, and OpenVINO may use that."""
    try:
        formats = load_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except RuntimeError:  # compiling a network reports it
        return False
    return "BF16" in formats and onednn_may_use_bfloat16()
