"""Segmenting a folder of images, and opening the results."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.batch import FileDone, FileResult, FoundImages, Outputs, messages_of
from napari_snow_unet.data.formats.messages import CONTAIN_NAMES
from napari_snow_unet.data.pixels.images import ImageFile
from napari_snow_unet.data.pixels.value_range import is_rgb
from napari_snow_unet.data.slides.slide import Slide
from napari_snow_unet.widgets.common.layers import add_labels, source_of, unwrapped
from napari_snow_unet.widgets.common.settings import settings
from napari_snow_unet.widgets.opening.slide import show_slide
from napari_snow_unet.widgets.segment import file_table, jobs, messages
from napari_snow_unet.widgets.segment.file_table import FileTable, reason_of
from napari_snow_unet.widgets.segment.models import first_run_note
from napari_snow_unet.widgets.segment.result_names import name_suffix

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from napari.viewer import Viewer

    from napari_snow_unet.widgets.common.run_bar import RunBar
    from napari_snow_unet.widgets.segment.form import SegmentForm

RESULTS = "nuclei"
MOST_NAMES = 5
QUIET_MS = 300  # shorter work shows no progress
OPENED, MODIFIED = (
    "opened_by_table",
    "modified",
)  # metadata of a layer: its file, and its modification time


class FolderJob:
    """Runs the segmentation of the chosen folder and lists its files."""

    def __init__(self, viewer: Viewer, form: SegmentForm, bar: RunBar) -> None:
        self._viewer, self._form, self._bar = viewer, form, bar
        self.table = FileTable(self._open)
        self._suggested: Path | None = None

    def suggest_results(self) -> None:
        """Suggest a folder for the results, unless the user has chosen one."""
        folder, results = self._form.chosen().folder, self._form.source.results
        chosen = results.value not in (None, self._suggested)
        if folder is None or not folder.is_dir() or chosen:
            return
        self._suggested = folder / RESULTS
        results.value = self._suggested

    def run(self) -> None:
        """Segment the images of the chosen folder."""
        folder = self._form.chosen().folder
        if folder is None:
            return
        self.table.contents.show([])
        outputs = Outputs(self._form.source.results.value, **self._form.files())
        steps = partial(
            jobs.segment_folder,
            folder,
            self._form.model.value,
            self._form.options(),
            outputs,
            settings().precision,
        )
        self._bar.start(
            steps,
            title=messages.segmenting(folder.name),
            on_progress=self._progressed,
            on_done=partial(self._done, outputs),
            cancelled=messages.FILES_KEPT,
            cancelling=messages.CANCELLING,
        )

    def _progressed(self, progress: Progress) -> None:
        if isinstance(progress, FileDone) and progress.result is not None:
            self.table.add(progress.result)

    def _done(self, outputs: Outputs, ended: tuple[FoundImages, list[FileResult]]) -> None:
        images, results = ended
        failed = [result for result in results if result.error]
        facts = next((result.provenance for result in results if not result.error), None)
        if facts is not None:
            self._form.show_device(facts["device"], facts["precision"])
        done = len(results) - len(failed)
        text = [messages.folder_done(done, len(results), outputs.folder)]
        if failed:
            text.append(messages.failed(failed[0].source.name, reason_of(failed[0])))
        skipped = [path for path in images.skipped if not path.name.startswith(".")]
        for message, paths in (
            (messages.also_failed, [result.source for result in failed[1:]]),
            (messages.skipped_files, skipped),
            (messages.skipped_folders, images.folders_but(outputs.folder)),
        ):
            text += [message(_names(paths))] if paths else []
        text += [*messages_of(results), *([CONTAIN_NAMES] if done else [])]
        notes = first_run_note(self._viewer, self._form.model.value) if done else []
        self._bar.say("\n".join([" ".join(text), *notes]), problem=bool(failed))

    def _open(self, result: FileResult) -> None:
        if self._bar.running:
            self._bar.say(messages.WAIT)
            return
        self._bar.start(
            partial(file_table.open_files, result),
            title=messages.opening(result.source.name),
            on_done=self._show,
            quiet_ms=QUIET_MS,
        )

    def _show(self, opened: file_table.Opened) -> None:
        """Show an image and its labels, unless they are open already."""
        files = zip((opened.image.path, opened.path), opened.modified, strict=True)
        of_image, of_labels = ({OPENED: str(path), MODIFIED: when} for path, when in files)
        image, labels = self._shown(of_image), self._shown(of_labels)
        if image is None:
            image = self._add_image(opened.image, of_image)
            if labels is not None:
                layers = self._viewer.layers
                layers.move(layers.index(image), layers.index(labels))
        if labels is None:
            self._add_labels(opened, image, of_labels)
        else:
            self._viewer.layers.selection.active = image

    def _shown(self, facts: dict[str, Any]) -> Layer | None:
        """Return the layer that this table has opened from a file that is unchanged."""
        for layer in self._viewer.layers:
            if all(layer.metadata.get(key) == fact for key, fact in facts.items()):
                return unwrapped(layer)
        return None

    def _add_image(self, image: ImageFile | Slide, facts: dict[str, Any]) -> Image:
        if isinstance(image, Slide):
            layer = show_slide(self._viewer, image)
            layer.metadata = {**layer.metadata, **facts}
            return unwrapped(layer)
        rgb = is_rgb(image.array.shape)
        where = {}
        if image.pixel_size_um is not None:
            leading = image.array.ndim - 2 - rgb
            where = {
                "scale": (1.0,) * leading + (image.pixel_size_um,) * 2,
                "units": ("pixel",) * leading + ("um",) * 2,
            }
        facts = {"source": str(image.path), **facts}
        layer = self._viewer.add_image(
            image.array, rgb=rgb, name=image.path.stem, metadata=facts, **where
        )
        return unwrapped(layer)

    def _add_labels(self, opened: file_table.Opened, image: Image, facts: dict[str, Any]) -> None:
        source = source_of(image)
        labels = list(opened.labels) if isinstance(opened.labels, tuple) else opened.labels
        about = {"image": opened.image.path.stem, **opened.provenance}
        suffix = name_suffix("nuclei", opened.provenance["model"])
        layer = add_labels(self._viewer, labels, source, suffix, about)
        layer.metadata = {**layer.metadata, "source": str(opened.image.path), **facts}


def _names(paths: Sequence[Path]) -> str:
    """Return the names of the first of some files."""
    names = ", ".join(path.name for path in paths[:MOST_NAMES])
    return names + (f" and {len(paths) - MOST_NAMES} more" if len(paths) > MOST_NAMES else "")
