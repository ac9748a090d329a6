"""A run over images whose results go to one folder: what is planned, begun, entered and done.

`segmenting` computes such a run in this process, `dask_cluster` on other machines.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.locks import folder_locked
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.batch.journal import Begun
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.batch.run_options import note_asked, what_is_asked
from napari_snow_unet.batch.summary import (
    SUMMARY,
    FileDone,
    FileResult,
    append_to_summary,
    require_summary,
    start_summary,
)
from napari_snow_unet.batch.writing import refuse_clash
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options, check_options


@dataclass(frozen=True)
class Planned:
    """An image that is left to be done: where its results go, or why they cannot."""

    source: Path
    outputs: Outputs
    refusal: InputError | None = None


class FolderRun:
    """The images of a run: those whose results are there, those to do, and what became of each.

    The folder of the outputs must be locked. Refused are results of another model or other options,
    and the images' own folder where every one of them would be refused.
    """

    def __init__(
        self,
        files: Sequence[Path],
        model: Model,
        options: Options,
        outputs: Outputs,
        *,
        use_pixel_size: bool,
    ) -> None:
        self.files, self._outputs, self._model = list(files), outputs, model
        self._sources = {path.resolve() for path in files}
        self._refuse_own_folder()
        self._journal, self._table = Begun(outputs), outputs.folder / SUMMARY
        rows = self._begin_table()
        asked = what_is_asked(model, options, outputs, use_pixel_size=use_pixel_size)
        note_asked(asked, outputs, there=bool(rows))
        self._with_row = {Path(image) for image in rows}  # which stays
        there = self._with_row if outputs.resume else set()
        self.left = [path for path in files if path not in there]
        self.results = [rows[str(path)] for path in files if path in there]

    def _refuse_own_folder(self) -> None:
        """Write nothing at all into the images' own folder where every image would be refused."""
        own = {path.resolve().parent for path in self.files} == {self._outputs.folder.resolve()}
        if self._outputs.resume or not own:
            return
        refusals = []
        for path in self.files:
            try:
                refuse_clash(path, self._outputs, self._sources, {})
            except InputError as error:
                refusals.append(error)
        if len(refusals) == len(self.files):
            raise refusals[0]

    def _begin_table(self) -> dict[str, FileResult]:
        """Begin or go on with the table; return the results of images whose rows stay in it."""
        require_summary(self._table)
        if self._outputs.overwrite:
            self._journal.replaces(self.files)
        rows = start_summary(self._table, self.files, overwrite=self._outputs.overwrite)
        for result in rows.values() if self._outputs.resume else ():
            if result.model != self._model.name:
                raise InputError(
                    f"{result.source.name} was segmented with {result.model!r}",
                    expected=f"results of {self._model.name!r} to go on with",
                    remedy="Choose the same model, or another folder for the results.",
                    path=self._table,
                )
        return rows

    def planned(self) -> Iterator[Planned]:
        """Go through what is left, and look where each result goes."""
        taken = {result.source.stem: result.source for result in self.results}
        for source in self.left:
            outputs = self._journal.outputs_for(source)
            try:
                refuse_clash(source, outputs, self._sources, taken)
            except InputError as error:
                yield Planned(source, outputs, error)
            else:
                taken[source.stem] = source
                yield Planned(source, outputs)

    def progress(self, message: str) -> Progress:
        """Return how far it is."""
        return Progress(len(self.results), len(self.files), message)

    def tell_kept(self) -> Iterator[FileDone]:
        """Tell of the images whose results were there."""
        for done, result in enumerate(self.results, start=1):
            yield FileDone(done, len(self.files), result.source.name, result)

    def begin(self, source: Path) -> None:
        """Note that the results of an image are written from now on."""
        self._journal.begins(source)

    def enter(self, result: FileResult, seconds: float | None = None) -> FileResult:
        """Write the row of an image of which nothing is left to be written.

        The row of what is there stays where an image was refused for its sake.
        """
        seconds = result.seconds if seconds is None else round(seconds, 3)
        precision = self._model.precision if self._model.checksum else ""
        result = replace(result, seconds=seconds, model=self._model.name, precision=precision)
        if result.source not in self._with_row:
            append_to_summary(self._table, result)
        if not result.error:
            self._journal.ends(result.source)
        return result

    def tell(self, result: FileResult) -> FileDone:
        """Tell what became of an image."""
        self.results.append(result)
        return FileDone(len(self.results), len(self.files), result.source.name, result)

    def end(self) -> list[FileResult]:
        """Forget what was half, if nothing is any more; return all results in order."""
        self._journal.forget(result.source for result in self.results if not result.error)
        order = {path: number for number, path in enumerate(self.files)}
        return sorted(self.results, key=lambda result: order[result.source])


@contextmanager
def folder_run(
    files: Sequence[Path],
    model: Model,
    options: Options,
    outputs: Outputs,
    *,
    use_pixel_size: bool,
) -> Generator[FolderRun, None, None]:
    """Hold the folder of a run, in which no other program may write then, and yield the run."""
    check_options(options, model)
    outputs.folder.mkdir(parents=True, exist_ok=True)
    with folder_locked(outputs.folder):
        yield FolderRun(files, model, options, outputs, use_pixel_size=use_pixel_size)
