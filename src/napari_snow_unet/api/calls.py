"""What every function of the API does: check its arguments, and show how far it is."""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import fields
from functools import wraps
from typing import Any, ParamSpec, TypeVar, get_type_hints

from napari_snow_unet.api import messages
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress, run

Key = TypeVar("Key")
Value = TypeVar("Value")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")
ShowProgress = bool | Callable[[Progress], None] | None
_KEYWORD = inspect.Parameter.KEYWORD_ONLY
#: Parameters that are annotated so are one path.
_PATH = ("str | os.PathLike[str]", "str | os.PathLike[str] | None")


def takes(
    *options: Any, without: Collection[str] = (), refuses: Collection[str] = ()
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Check the arguments of a public function; show the fields of dataclasses as its keywords.

    It refuses those in `refuses` itself. Editors, notebooks and ``help()`` list the keywords where
    the function has ``**options``; each is still declared once, in its dataclass. An unknown
    keyword raises a TypeError that names the nearest.
    """
    named = [
        inspect.Parameter(field.name, _KEYWORD, default=field.default, annotation=hints[field.name])
        for cls, hints in zip(options, map(get_type_hints, options), strict=True)
        for field in fields(cls)
        if field.name not in (*without, *refuses)
    ]
    return lambda function: _checked(function, named, refuses)


def steps(
    *options: Any, without: Collection[str] = ()
) -> Callable[
    [Callable[Arguments, Generator[Progress, None, Result]]], Callable[Arguments, Steps[Result]]
]:
    """Do as `takes` for a generator, and return its steps as `Steps`."""

    def of(
        function: Callable[Arguments, Generator[Progress, None, Result]],
    ) -> Callable[Arguments, Steps[Result]]:
        @wraps(function)
        def begin(*given: Arguments.args, **named: Arguments.kwargs) -> Steps[Result]:
            return Steps(function.__name__, function(*given, **named))

        return takes(*options, without=without)(begin)

    return of


def blocks(
    generator: Callable[..., Any],
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Do as `takes` for the function that runs a generator to its end, with its keywords."""
    named = [
        parameter
        for parameter in inspect.signature(generator).parameters.values()
        if parameter.kind is _KEYWORD
    ]
    return lambda function: _checked(function, named)


def _checked(
    function: Callable[Arguments, Result],
    named: list[inspect.Parameter],
    refused: Collection[str] = (),
) -> Callable[Arguments, Result]:
    signature = inspect.signature(function)
    own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    more = [one for one in named if one.name not in signature.parameters]
    keywords = [one.name for one in (*own, *more)]
    paths = {one.name for one in own if one.annotation in _PATH}

    @wraps(function)
    def call(*given: Arguments.args, **named: Arguments.kwargs) -> Result:
        for name in named:
            if name not in (*keywords, *refused):
                raise TypeError(
                    messages.unknown_keyword(name, nearest(name, keywords), function.__name__)
                )
        for name, value in (*zip(keywords, given, strict=False), *named.items()):
            if name in paths and not isinstance(value, (str, os.PathLike, type(None))):
                raise InputError(messages.not_one_path(name, type(value).__name__))
        return function(*given, **named)

    call.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    return call


def nearest(name: object, names: Iterable[object]) -> str:
    """Return the name that was probably meant; empty if none is alike."""
    return "".join(difflib.get_close_matches(str(name), list(map(str, names)), n=1))


def split_options(given: Mapping[str, Any], *classes: Any) -> list[dict[str, Any]]:
    """Return the keywords of each dataclass."""
    names = [{field.name for field in fields(cls)} for cls in classes]
    return [{name: given[name] for name in given if name in own} for own in names]


class Named(dict[Key, Value]):
    """A dict that says which keys there are when one is missing."""

    def __missing__(self, name: object) -> Value:
        raise KeyError(messages.no_such_name(name, nearest(name, self), tuple(map(str, self))))


class Steps(Generator[Progress, None, Result]):
    """The steps of a function: it runs while they are iterated over.

    Attributes
    ----------
    result : object
        What the function returns; an `InputError` before its end.
    """

    def __init__(self, name: str, generator: Generator[Progress, None, Result]) -> None:
        self._name, self._generator = name, generator
        self._ended: tuple[Result, ...] = ()

    @property
    def result(self) -> Result:
        """The result, at the end."""
        if not self._ended:
            raise InputError(messages.not_at_the_end(self._name))
        return self._ended[0]

    def send(self, value: None) -> Progress:
        """Do a step; also called by `next` and by loops."""
        try:
            return self._generator.send(value)
        except StopIteration as end:
            self._ended = (end.value,) if end.value is not None else self._ended
            raise

    def throw(self, *error: Any) -> Progress:
        """Raise an error at the step."""
        return self._generator.throw(*error)

    def close(self) -> None:
        """Stop; what is finished is kept."""
        self._generator.close()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(messages.steps_have_no(self._name, name))

    def __repr__(self) -> str:
        return messages.steps_label(self._name, ended=bool(self._ended))


def finish(generator: Generator[Progress, None, Result], progress: ShowProgress = None) -> Result:
    """Run a generator to its end and return its result; it is closed whatever happens."""
    with closing(generator), _shown(progress) as show:
        return run(generator, show)


@contextmanager
def _shown(progress: ShowProgress) -> Iterator[Callable[[Progress], None] | None]:
    if progress is not True:
        yield progress or None
        return
    from tqdm.auto import tqdm

    with ExitStack() as stack:
        bars: list[Any] = []

        def show(step: Progress) -> None:
            if not step.total:  # not known yet
                return
            if not bars:
                bars.append(stack.enter_context(tqdm(total=step.total, desc=step.message)))
            (bar,) = bars
            if step.total != bar.total or step.done < bar.n:
                bar.reset(step.total)
            bar.set_description_str(step.message, refresh=False)
            bar.update(step.done - bar.n)

        yield show
