"""Every text in a `messages.py` has the form that people are promised: sentences, short, plain."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from napari_snow_unet.base.errors import Message

PACKAGE = Path(__file__).parents[1] / "src" / "napari_snow_unet"
ROOMS = sorted(path.parent.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("messages.py"))
LONGEST = 320  # characters of a text, with the short values that it is tried with
#: What LANGUAGE no longer allows: words that have a better one, German order, texts without agent.
FORBIDDEN = (
    r"gone on with|go(es)? on with|in place of|stands? (in|here|there|beside)|lies? beside|shall\b"
    r"|nobody|somebody|hangs? together|may cut|what is (right|true)|papers|believed|(is|are) told"
    r"|cannot be told|what is no\b|is no (image|mask|model|dataset)\b|another than|of itself"
    r"|``|what computes|the beginning|\bpieces?\b|its ending|by the ending|leave what|painted in"
)


def samples(hint: Any) -> list[Any]:
    """Return two values of an annotated type, one as short or small as it can be."""
    if isinstance(hint, str):
        return ["alpha"]
    origin = get_origin(hint)
    if origin is Literal:
        return list(get_args(hint))
    if origin in (Union, types.UnionType):
        return [value for one in get_args(hint) for value in samples(one)]
    if origin is not None and isinstance(origin, type):
        if issubclass(origin, dict) or origin.__name__ == "Mapping":
            keys, values = (samples(one)[0] for one in get_args(hint))
            return [{keys: values}]
        if issubclass(origin, tuple) and Ellipsis not in get_args(hint):
            return [tuple(samples(one)[0] for one in get_args(hint))]
        one = samples(get_args(hint)[0])[0]
        return [(one,), (one, one)]
    known: dict[Any, list[Any]] = {
        str: ["alpha"],
        int: [1, 2, 3000],
        float: [0.25, 1.0],
        bool: [True, False],
        type(None): [None],
        Path: [Path("folder") / "tile.png"],
        object: ["alpha"],
        Any: ["alpha"],
        Exception: [ValueError("cut short")],
        BaseException: [ValueError("cut short")],
        OSError: [OSError(28, "No space left on device")],
        Message: [Message("The file is damaged.", "Copy it again.")],
        np.dtype: [np.dtype("uint16")],
    }
    return known[hint]


def texts_of(room: Path) -> list[tuple[str, Message]]:
    """Return all texts that a room's messages can be, with the names they have there."""
    module = importlib.import_module(".".join((*room.parts, "messages")))
    found: list[tuple[str, Message]] = []
    for name, value in vars(module).items():
        if name.startswith("_"):
            continue
        if isinstance(value, Message):
            found.append((name, value))
        elif isinstance(value, str):
            found.append((name, Message(value)))
        elif inspect.isfunction(value) and value.__module__ == module.__name__:
            hints = get_type_hints(value)
            returned = hints.pop("return")
            assert returned in (str, Message) or get_origin(returned) is not None, name
            choices = {argument: samples(hint) for argument, hint in hints.items()}
            for turn in range(max(map(len, choices.values()), default=1)):
                given = {key: some[turn % len(some)] for key, some in choices.items()}
                text = value(**given)
                if text:
                    found.append((name, text if isinstance(text, Message) else Message(text)))
    return found


def faults_of(name: str, message: Message, room: Path) -> list[str]:
    """Return what is wrong with the form of a text."""
    text, faults = message.text(), []
    if name.upper().endswith("_LABEL"):  # a word on a button or a bar, or beside a field
        return faults
    for part in filter(None, (message.problem, message.remedy)):
        if not re.match(r"[A-Z0-9'\"(`]", part):
            faults.append("begins without a capital")
        if not re.search(r"[.?:…][)\"'`]?$", part):
            faults.append("ends without a full stop")
    if len(text) > LONGEST:
        faults.append(f"has {len(text)} characters")
    if found := re.search(FORBIDDEN, text, flags=re.IGNORECASE):
        faults.append(f"says {found.group()!r}")
    if re.search(
        r"(?<![\w.,])1 (?!of\b|is\b|has\b|was\b|does\b|us\b|x\b)[a-z]{3,}(?<!u)s\b(?<!ss)",
        text,
    ):
        faults.append("has a plural of one")
    if "  " in text or "!" in text or ";" in text.replace("; ", "", 1):
        faults.append("has a double space, an exclamation mark or two semicolons")
    if room.name != "cli" and re.search(r"(^|[ (`])--[a-z]|snow-unet [a-z]", _ours(text)):
        faults.append("has a word of the shell")
    return faults


def _ours(text: str) -> str:
    return re.sub("`pip [^`]*`", "", text)  # another program's


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_texts_of_a_room_have_their_form(room):
    texts = texts_of(room)
    assert texts
    wrong = [
        f"{name}: {fault}: {message.text()}"
        for name, message in texts
        for fault in faults_of(name, message, room)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("it is wrong.", "capital"),
        ("It is wrong", "full stop"),
        ("It was 1 files.", "plural"),
        ("It is gone on with.", "gone on with"),
        ("Use --overwrite.", "shell"),
        ("Stop!", "exclamation"),
        ("Word " * 100 + ".", "characters"),
    ],
)
def test_a_text_of_another_form_is_found(text, fault):
    assert fault in " ".join(faults_of("", Message(text), Path("data")))


def test_what_is_refused_is_worded_by_the_room():
    """An `InputError` takes a `Message` that comes from the `messages` of a room."""
    elsewhere = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if not (path.parent / "messages.py").exists() or path.name == "messages.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError"
            if named and any(
                isinstance(part, ast.Constant | ast.JoinedStr) for part in node.args[:1]
            ):
                elsewhere.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert not elsewhere
