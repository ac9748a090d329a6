"""Run the command of the shell on a drive that fails to write from some moment on.

    python drive_that_fails.py KIND SIGN WORDS...

As soon as the file SIGN is there, the kernel answers system calls of one KIND with EIO, in
every thread: it creates no file, writes to none, or renames none. Standard output and error stay
as they are. The filter is seccomp's; numbers of system calls are those of Linux on x86-64.
"""

import ctypes
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

import matplotlib

EIO = 5
LOAD_WORD, EQUALS, ANY_BIT, GREATER, RETURN = 0x20, 0x15, 0x45, 0x25, 0x06
ALLOW, ERROR = 0x7FFF0000, 0x00050000 | EIO
NUMBER, FIRST_ARGUMENT, SECOND_ARGUMENT, THIRD_ARGUMENT = 0, 16, 24, 32
O_CREAT = 0o100
WRITE, PWRITE, WRITEV, OPEN, OPENAT, MKDIR, MKDIRAT = 1, 18, 20, 2, 257, 83, 258
RENAME, RENAMEAT, RENAMEAT2 = 82, 264, 316
PR_SET_NO_NEW_PRIVS, SECCOMP, SET_MODE_FILTER, ALL_THREADS = 38, 317, 1, 1


def if_called(number, *then):
    """Return steps that follow `then` for one system call, and go on for others."""
    return [(EQUALS, 0, len(then), number), *then]


def always(number):
    return if_called(number, (RETURN, 0, 0, ERROR))


def to_files(number):
    """Fail but for the descriptors of standard output and standard error."""
    return if_called(
        number,
        (LOAD_WORD, 0, 0, FIRST_ARGUMENT),
        (GREATER, 1, 0, 2),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, ERROR),
    )


def creating(number, flags):
    return if_called(
        number,
        (LOAD_WORD, 0, 0, flags),
        (ANY_BIT, 1, 0, O_CREAT),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, ERROR),
    )


KINDS = {
    "create": [
        *creating(OPEN, SECOND_ARGUMENT),
        *creating(OPENAT, THIRD_ARGUMENT),
        *always(MKDIR),
        *always(MKDIRAT),
    ],
    "write": [*to_files(WRITE), *to_files(PWRITE), *to_files(WRITEV)],
    "rename": [*always(RENAME), *always(RENAMEAT), *always(RENAMEAT2)],
}


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def fail_from_now_on(kind):
    """Install the filter in all threads; nothing takes it away again."""
    steps = [(LOAD_WORD, 0, 0, NUMBER), *KINDS[kind], (RETURN, 0, 0, ALLOW)]
    packed = b"".join(struct.pack("<HBBI", *step) for step in steps)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(steps), packed)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if libc.syscall(SECCOMP, SET_MODE_FILTER, ALL_THREADS, ctypes.byref(program)):
        raise OSError(ctypes.get_errno(), "seccomp")


def wait_and_fail(kind, sign):
    while not sign.exists():
        time.sleep(0.001)
    fail_from_now_on(kind)


if __name__ == "__main__":
    kind, sign, *words = sys.argv[1:]
    tempfile.gettempdir(), matplotlib.get_cachedir()  # these lie on another drive
    threading.Thread(target=wait_and_fail, args=(kind, Path(sign)), daemon=True).start()
    sys.argv = ["napari-snow-unet", *words]
    from napari_snow_unet.cli import main

    main()
