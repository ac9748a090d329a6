import errno

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine import messages
from napari_snow_unet.unet.engine.failures import explain, is_out_of_memory


class ResourceExhaustedError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x.h5"), "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "x.h5"), "read or written"),
        (MemoryError(), "not enough memory"),
        (ResourceExhaustedError("OOM when allocating tensor with shape[9]"), "not enough memory"),
        (RuntimeError("Status: 1, message: could not create a primitive"), "not enough memory"),
        (
            RuntimeError("[CPU] Convolution node with name 'C_26' can't alloc\n"),
            "not enough memory",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "not enough memory"),
    ],
)
def test_each_is_explained_with_the_epoch_that_is_kept(tmp_path, error, problem):
    explained = explain(error, tmp_path, epoch=7)
    assert problem in explained.message.problem
    assert "after epoch 7" in explained.message.remedy
    assert explained.path == tmp_path
    assert "epoch 0" not in str(explain(error, tmp_path, epoch=0))


def test_a_number_format_without_kernels_is_not_taken_for_too_little_memory(tmp_path):
    error = RuntimeError("Status: 3, message: could not create a primitive descriptor for the ...")
    assert not is_out_of_memory(error)
    assert explain(error, tmp_path, epoch=0).message == messages.NO_KERNELS


def test_the_cause_below_other_errors_is_found(tmp_path):
    error = RuntimeError("in a thread")
    error.__cause__ = InputError(messages.NO_KERNELS)
    assert explain(error, tmp_path, epoch=0) is error.__cause__


def test_what_nobody_has_foreseen_is_not_explained_away(tmp_path):
    assert explain(KeyError("x"), tmp_path, epoch=0) is None


def test_a_loss_that_is_not_finite_is_told_with_the_epochs_that_are_kept():
    message = messages.loss_not_finite(3, 12)
    assert "epoch 3, batch 12" in message.problem
    assert "up to epoch 2" in message.remedy
    assert "learning_rate" in message.helps
    assert "kept" not in messages.loss_not_finite(1, 1).remedy
