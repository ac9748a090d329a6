"""A run over images whose results go to one folder, and its bookkeeping.

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
from napari_snow_unet.batch import messages
from napari_snow_unet.batch.journal import Journal
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.batch.run_options import record_options, run_options
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
    """An image to segment, with its outputs or the reason why it is refused."""

    source: Path
    outputs: Outputs
    refusal: InputError | None = None


class FolderRun:
    """The images of a run: those done before, those to do, and the result of each.

    The folder of the outputs must be locked. Raises `InputError` for results of another model or
    other options, and for the images' own folder if every image would be refused.
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
        self._journal, self._table = Journal(outputs), outputs.folder / SUMMARY
        rows = self._start_table()
        entries = run_options(model, options, outputs, use_pixel_size=use_pixel_size)
        record_options(entries, outputs, has_results=bool(rows))
        self._with_row = {Path(image) for image in rows}
        done = self._with_row if outputs.resume else set()
        self.left = [path for path in files if path not in done]
        self.results = [rows[str(path)] for path in files if path in done]

    def _refuse_own_folder(self) -> None:
        """Raise `InputError` for the images' own folder if every image would be refused."""
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

    def _start_table(self) -> dict[str, FileResult]:
        """Start or continue the table; return the results of images that stay in it."""
        require_summary(self._table)
        if self._outputs.overwrite:
            self._journal.replace(self.files)
        rows = start_summary(self._table, self.files, overwrite=self._outputs.overwrite)
        for result in rows.values() if self._outputs.resume else ():
            if result.model != self._model.name:
                model, image = self._model.name, result.source.name
                raise InputError(messages.other_model(image, result.model, model), path=self._table)
        return rows

    def planned(self) -> Iterator[Planned]:
        """Yield the images to segment with their outputs."""
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
        """Return the progress over images."""
        return Progress(len(self.results), len(self.files), message)

    def report_kept(self) -> Iterator[FileDone]:
        """Yield the images that were done before."""
        for done, result in enumerate(self.results, start=1):
            yield FileDone(done, len(self.files), result.source.name, result)

    def start(self, source: Path) -> None:
        """Record that the results of an image are about to be written."""
        self._journal.start(source)

    def record(self, result: FileResult, seconds: float | None = None) -> FileResult:
        """Write the row of an image whose results are written.

        An image that already has a row keeps it.
        """
        seconds = result.seconds if seconds is None else round(seconds, 3)
        precision = self._model.precision if self._model.checksum else ""
        result = replace(result, seconds=seconds, model=self._model.name, precision=precision)
        if result.source not in self._with_row:
            append_to_summary(self._table, result)
        if not result.error:
            self._journal.end(result.source)
        return result

    def report(self, result: FileResult) -> FileDone:
        """Add the result of an image, and return the progress."""
        self.results.append(result)
        return FileDone(len(self.results), len(self.files), result.source.name, result)

    def end(self) -> list[FileResult]:
        """Remove the journal if all is complete; return all results in order."""
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
    """Lock the folder of a run against other programs, and yield the run."""
    check_options(options, model)
    outputs.folder.mkdir(parents=True, exist_ok=True)
    with folder_locked(outputs.folder):
        yield FolderRun(files, model, options, outputs, use_pixel_size=use_pixel_size)
