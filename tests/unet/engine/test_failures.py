import errno

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine.failures import became_nan, explain, is_out_of_memory


class ResourceExhaustedError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "told"),
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
def test_each_is_told_with_the_epoch_that_is_kept(tmp_path, error, told):
    known = explain(error, tmp_path, epoch=7)
    assert told in str(known)
    assert "after epoch 7" in str(known)


def test_a_number_format_without_kernels_is_not_taken_for_too_little_memory(tmp_path):
    error = RuntimeError("Status: 3, message: could not create a primitive descriptor for the ...")
    assert not is_out_of_memory(error)
    assert "Choose the precision float32" in str(explain(error, tmp_path, epoch=0))


def test_the_cause_below_other_errors_is_found(tmp_path):
    error = RuntimeError("in a thread")
    error.__cause__ = InputError("x.png is gone", expected="it", remedy="Restore it.")
    assert explain(error, tmp_path, epoch=0) is error.__cause__


def test_what_nobody_has_foreseen_is_not_explained_away(tmp_path):
    assert explain(KeyError("x"), tmp_path, epoch=0) is None


def test_a_loss_that_is_no_number(tmp_path):
    told = str(became_nan(tmp_path, epoch=3, batch=12))
    assert "epoch 3, batch 12" in told
    assert "learning rate" in told
