"""What every function of the API does: take options as keywords, and show how far it is."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

from napari_snow_unet.api import messages
from napari_snow_unet.base.progress import Progress, run

Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])
ShowProgress = bool | Callable[[Progress], None] | None
_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def takes(*options: Any, without: tuple[str, ...] = ()) -> Callable[[Function], Function]:
    """Show the fields of dataclasses as keywords where a function has ``**options``.

    Editors, notebooks and ``help()`` list them then; each is still declared once, in its dataclass.
    """
    named = [
        inspect.Parameter(field.name, _KEYWORD, default=field.default, annotation=hints[field.name])
        for cls, hints in zip(options, map(get_type_hints, options), strict=True)
        for field in fields(cls)
        if field.name not in without
    ]
    return lambda function: _with_keywords(function, named)


def blocks(steps: Callable[..., Any]) -> Callable[[Function], Function]:
    """Show the keywords of a generator on the function that runs it to its end."""
    named = [
        parameter
        for parameter in inspect.signature(steps).parameters.values()
        if parameter.kind is _KEYWORD
    ]
    return lambda function: _with_keywords(function, named)


def _with_keywords(function: Function, named: list[inspect.Parameter]) -> Function:
    signature = inspect.signature(function)
    own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    more = [one for one in named if one.name not in signature.parameters]
    function.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    return function


def split_options(function: Any, given: dict[str, Any], *classes: Any) -> list[dict[str, Any]]:
    """Return the keywords of each dataclass; one that is in none raises a TypeError."""
    names = [{field.name for field in fields(cls)} for cls in classes]
    keywords = list(inspect.signature(function).parameters)
    for name in given:
        if name not in keywords:
            nearest = difflib.get_close_matches(name, [*keywords, "progress"], n=1)
            raise TypeError(messages.unknown_keyword(name, "".join(nearest)))
    return [{name: given[name] for name in given if name in own} for own in names]


def finish(steps: Generator[Progress, None, Result], progress: ShowProgress = None) -> Result:
    """Run a generator to its end and return its result; it is closed whatever happens."""
    with closing(steps), _shown(progress) as show:
        return run(steps, show)


@contextmanager
def _shown(progress: ShowProgress) -> Iterator[Callable[[Progress], None] | None]:
    if progress is not True:
        yield progress or None
        return
    from tqdm.auto import tqdm

    with tqdm() as bar:

        def show(step: Progress) -> None:
            if step.total != bar.total or step.done < bar.n:
                bar.reset(step.total)
            bar.set_description_str(step.message, refresh=False)
            bar.update(step.done - bar.n)

        yield show
