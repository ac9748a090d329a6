"""Segmenting an image layer: one run, and what the sliders change afterwards."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_snow_unet.batch import Outputs
from napari_snow_unet.data.axes import plane_last
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.naming import tile_name
from napari_snow_unet.data.orientation import UPRIGHT
from napari_snow_unet.data.slides import LARGEST_WHOLE, Slide
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.preprocess import ValueRange
from napari_snow_unet.segmentation.reproduction import Recipe
from napari_snow_unet.segmentation.stack import Index, StackSegmentation, check_stack, part_in_words
from napari_snow_unet.widgets import _jobs
from napari_snow_unet.widgets._existing import steps_in_dock
from napari_snow_unet.widgets._image_file import origin_of
from napari_snow_unet.widgets._layers import Source, pixels_of, shown_plane, source_of, unwrapped
from napari_snow_unet.widgets._outline_colours import OUTLINE
from napari_snow_unet.widgets._part import Part, part_of
from napari_snow_unet.widgets._pixel_sizes import header_of, measured, unturned
from napari_snow_unet.widgets._results import Record, Results
from napari_snow_unet.widgets._settings import settings

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

    from napari_snow_unet.widgets._run_bar import RunBar
    from napari_snow_unet.widgets._segment_form import SegmentForm

NO_IMAGE = "Open an image first: drop a file on the viewer, or File > Open Sample."
FILES = "The labels are files, which sliders leave alone: run again to change them."
NEW_SIZE = (
    "These labels were found while the pixel size was unknown. Press Run on their image again, "
    "then a smallest area in µm² counts."
)
SLICES = "{} segmented; tick All slices for the rest."
AS_STORED = (
    "The image's file asks to be turned (orientation {}), which napari does not do: the labels "
    "lie on the pixels as they are stored, not as other programs show them."
)
RELABEL_DELAY_MS = 60
QUIET_MS = 500  # what takes no longer shows no progress


@dataclass(frozen=True, eq=False)
class Request:
    """What a person asked for with one click on Run."""

    image: ref[Image]
    source: Source
    model: str
    options: Options
    target: ref[Labels] | None
    edits: int  # of that
    pixels: int  # their identity
    origin: dict[str, Any]
    part: Part | None


class LayerJob(QObject):
    """Runs the segmentation of the chosen layer and keeps its results up to date.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where layers come from and go to.
    form : SegmentForm
        What the person has chosen.
    bar : RunBar
        Shows how far it is.

    Attributes
    ----------
    segmented, shown : Qt signal
        Emitted when a probability map is new, and when the current result is shown or was labelled
        anew.
    """

    segmented = Signal()
    shown = Signal()

    def __init__(self, viewer: Viewer, form: SegmentForm, bar: RunBar) -> None:
        super().__init__(bar)
        self._viewer, self._form, self._bar = viewer, form, bar
        self.results = Results(viewer)
        self._values: WeakKeyDictionary[Image, dict[str, ValueRange]] = WeakKeyDictionary()
        self._shown: ref[Labels] | None = None
        self._adding = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._relabel)
        for field in form.relabelling:
            field.changed.connect(self._relabel_soon)
        form.outlines.changed.connect(self._draw)

    @property
    def written(self) -> tuple[Labels, Recipe] | None:
        """The active layer and what it was made from, if its labels are files."""
        active = unwrapped(self._viewer.layers.selection.active)
        recipe = self.results.written(active)
        return None if recipe is None else (active, recipe)

    @property
    def current(self) -> Labels | None:
        """The result that the sliders change: the active layer, else the image's latest."""
        active = unwrapped(self._viewer.layers.selection.active)
        if self.results.get(active) is not None:
            return active
        return next((layer for layer, _ in self.results.of(self._form.image.value)), None)

    def why_not(self) -> str:
        """Say why the chosen layer cannot be segmented; empty if it can."""
        layer = self._form.image.value
        if layer is None:
            return NO_IMAGE
        pixels = pixels_of(layer)
        try:
            check_stack(pixels.shape, pixels.dtype, rgb=layer.rgb)
        except InputError as error:
            return error.reason_first
        return ""

    def is_large(self) -> bool:
        """Tell whether what is to be segmented is so large that its results are files."""
        layer = self._form.image.value
        if layer is None or not _is_large(layer, None):
            return False
        try:
            return _is_large(layer, part_of(self._viewer, layer, self._form.part.value))
        except InputError:
            return False

    def show_current(self) -> None:
        """Show the choices that the current result was made with, once it is another one.

        Where a folder is segmented the choices are those for the folder.
        """
        if self._adding:  # what napari selects is not yet known as a result
            return
        layer = self.current if self._of_layer else None
        record = self.results.get(layer)
        known = self._shown() if self._shown is not None else None
        if layer is not known and record is not None:
            self._form.show_options(record.options, record.threshold)
            self._form.show_outlines(layer.contour > 0)
        self._shown = ref(layer) if layer is not None else None
        self.shown.emit()

    def run(self) -> None:
        """Segment the chosen layer as it is now."""
        layer = self._form.image.value
        part = part_of(self._viewer, layer, self._form.part.value)
        (source, _), options = measured(layer), self._form.options()
        pixels, origin = pixels_of(layer), origin_of(layer)
        if (orientation := unturned(layer)) != UPRIGHT:
            origin["unturned"] = orientation
        if part is not None and plane_last(source.shape) != source.shape:
            raise InputError(
                f"a part of an image of shape {source.shape}, which has no plane at its end",
                expected="the whole image",
                remedy="Choose the whole image.",
            )
        if part is not None:
            source, pixels = source.cropped(part.box), part.cut(pixels, rgb=source.rgb)
            origin["part"] = list(part.box)
        planes = None if self._form.source.all_slices.value else [shown_plane(self._viewer, layer)]
        request = Request(
            ref(layer),
            source,
            self._form.model.value,
            options,
            None,
            0,
            id(pixels_of(layer)),
            origin,
            part,
        )
        if _is_large(layer, part):
            self._run_to_files(request, pixels)
            return
        target = self._target(layer, source, options, part)
        record = self.results.get(target)
        steps = partial(
            _jobs.segment_image,
            pixels,
            request.model,
            options,
            rgb=source.rgb,
            planes=planes,
            pixel_size_um=source.pixel_size_um,
            values=self._values.get(layer, {}).get(request.model),
            whole=pixels_of(layer),
            white=_stated_white(layer),
            earlier=(target.data, record.planes) if target is not None else None,
            precision=settings().precision,
            region=None if part is None else part.region,
        )
        if record is not None:
            request = replace(request, target=ref(target), edits=record.edits)
        self._bar.start(
            steps,
            title=f"Segmenting {source.name}",
            on_done=partial(self._segmented, request),
            cancelling=_jobs.CANCELLING,
        )

    def _run_to_files(self, request: Request, pixels: Any) -> None:
        """Segment a plane that is too large to be handled in memory."""
        fields, source, part = self._form.source, request.source, request.part
        if len(source.shape) > 2:
            raise InputError(
                f"slices of {math.prod(source.shape[-2:]):,} pixels",
                expected=f"at most {LARGEST_WHOLE:,} in a slice of a stack",
                remedy="Choose a part of it, or open one slice as an image of its own.",
            )
        if fields.results.value is None:
            raise InputError(
                f"an image of {math.prod(source.shape[-2:]):,} pixels without a folder for results",
                expected="a folder, since labels of this size are written to disk as they come",
                remedy="Choose one under 'Results to', or choose a part of the image.",
            )
        stem = tile_name(Path(request.origin.get("source", request.source.name)))
        place = "" if part is None else f"_y{part.rows.start}_x{part.columns.start}"
        side = source.pixel_size_um
        image = request.image()
        slide = Slide(
            (pixels,),
            None if side is None else (side, side),
            Path(re.sub(r"[^\w-]+", "_", stem) + place),
            white=None if image is None else _stated_white(image),
        )
        outputs = Outputs(
            fields.results.value,
            probability=fields.probability.value,
            overwrite=fields.overwrite.value,
        )
        steps = partial(
            _jobs.segment_to_files,
            slide,
            request.model,
            request.options,
            outputs,
            whole=pixels if image is None else pixels_of(image),
            precision=settings().precision,
            region=None if part is None else part.region,
        )
        self._bar.start(
            partial(steps_in_dock, steps),
            title=f"Segmenting {source.name}",
            on_done=partial(self._written, request),
            cancelling=_jobs.CANCELLING,
            writes=True,
        )

    def _written(self, request: Request, found: _jobs.Written) -> None:
        result = found.result
        self._form.show_device(found.model.device, found.model.precision)
        own = {"source": None, "level": None} | request.origin
        facts = {key: fact for key, fact in (result.provenance | own).items() if fact is not None}
        recipe = Recipe(
            source=facts.get("source", ""),
            model=request.model,
            options=request.options,
            pixel_size_um=result.pixel_size_um,
            shape=request.source.shape,
            rgb=request.source.rgb,
            planes=[()],
            provenance=facts,
            to_files=True,
        )
        layer = self.results.add_written(
            request.image, request.source, recipe, request.part, result.labels, found.levels
        )
        self._draw(layer=layer)
        self._form.show_threshold(result.threshold)
        said = [f"{layer.name}: {result.summary}.", *result.messages, *as_stored(facts), FILES]
        self._bar.say(" ".join(said))

    def _target(
        self, layer: Image, source: Source, options: Options, part: Part | None
    ) -> Labels | None:
        """Return the result to bring up to date: same image, same choices, no edit left in it."""
        pixel_size_um = options.pixel_size_um or source.pixel_size_um
        mark = None if part is None else part.name
        for target, record in self.results.of(layer):
            same = (
                record.model == self._form.model.value
                and record.source.lies_like(source)
                and record.options.output == options.output
                and record.options.channel == options.channel
                and record.pixel_size_um == pixel_size_um
                and (None if record.part is None else record.part.name) == mark
                and record.options.test_time_augmentation == options.test_time_augmentation
            )
            if same and self.results.may_be_unchanged(target):
                return target
        return None

    def _segmented(self, request: Request, found: _jobs.Segmented) -> None:
        image, result = request.image(), found.result
        self._form.show_device(found.model.device, found.model.precision)
        if image is not None and id(pixels_of(image)) == request.pixels:
            self._remember_values(image, request.model, found.values)
        target = request.target() if request.target is not None else None
        record = self.results.get(target)
        self.results.note_compared(target, request.edits, changed=found.changed)
        if record is not None and self.results.may_rewrite(target, self._plane_shown(image)):
            record = replace(record.following(result, request.options), part=request.part)
            self.results.rewrite(target, record, result.labels, result.planes)
        else:
            record = Record(
                image=request.image,
                source=request.source,
                model=request.model,
                probability=result.probability,
                planes=result.planes,
                options=request.options,
                floor=found.model.threshold_floor,
                pixel_size_um=result.pixel_size_um,
                provenance=result.provenance | request.origin,
                part=request.part,
            )
            target = self._add(record, result.labels)
        self._tell(target, record, result)
        self.segmented.emit()

    def _add(self, record: Record, labels: Any) -> Labels:
        """Show a result as a new layer; the form stays as it is."""
        self._adding = True
        try:
            layer = self.results.add(record, labels)
        finally:
            self._adding = False
        self._draw(layer=layer)
        return layer

    def _draw(self, event: Any = None, *, layer: Labels | None = None) -> None:
        """Draw a result, or the current one, as the person wants to see it."""
        shown = layer or (self.written or (self.current,))[0]
        if shown is not None:
            shown.contour = OUTLINE if self._form.outlines.value else 0

    @property
    def relabelling(self) -> bool:
        """Whether a slider was moved and the labels do not show it yet."""
        return self._timer.isActive()

    @property
    def _of_layer(self) -> bool:
        return self._form.source.kind.value == "layer"

    def _relabel_soon(self) -> None:
        if not self._of_layer or self._timer.isActive():
            return
        if self._bar.running or self.current is not None:
            self._timer.start(RELABEL_DELAY_MS)

    def _relabel(self) -> None:
        if not self._of_layer:
            return
        if self._bar.running:  # the slider moves on while labels are made
            self._timer.start(RELABEL_DELAY_MS)
            return
        layer = self.current
        record = self.results.get(layer)
        if record is None:
            return
        was, now = record.options, self._form.options()
        now = replace(
            now,
            output=was.output,
            channel=was.channel,
            pixel_size_um=was.pixel_size_um,
            tile=was.tile,
            test_time_augmentation=was.test_time_augmentation,
        )
        if now.min_area_um2 is not None and record.pixel_size_um is None:
            self._bar.say(NEW_SIZE, problem=True)
            return
        steps = partial(
            _jobs.relabel,
            record.probability,
            (layer.data, record.planes),
            now,
            floor=record.floor,
            pixel_size_um=record.pixel_size_um,
            region=None if record.part is None else record.part.region,
        )
        self._bar.start(
            steps,
            title=f"Labelling {record.source.name}",
            on_done=partial(self._relabelled, ref(layer), record, record.edits, now),
            quiet_ms=QUIET_MS,
        )

    def _relabelled(
        self,
        known: ref[Labels],
        record: Record,
        edits: int,
        options: Options,
        found: tuple[StackSegmentation, bool],
    ) -> None:
        layer, (result, changed) = known(), found
        if layer is None or self.results.get(layer) is not record:
            return
        if layer not in self._viewer.layers:
            return
        self.results.note_compared(layer, edits, changed=changed)
        following = record.following(result, options)
        if self.results.may_rewrite(layer, self._plane_shown(record.image())):
            self.results.rewrite(layer, following, result.labels, result.planes)
        else:
            following = replace(following, edits=0)
            layer = self._add(following, result.labels)
            self.segmented.emit()
        self._tell(layer, following, result)

    def _tell(self, layer: Labels, record: Record, result: StackSegmentation) -> None:
        self._shown = ref(layer)
        self._form.show_threshold(record.threshold)
        said = [f"{layer.name}: {result.summary}.", *self._left_out(record), *result.messages]
        said += as_stored(record.provenance)
        self._bar.say(" ".join(said))
        self.shown.emit()

    def _left_out(self, record: Record) -> list[str]:
        done = part_in_words(record.planes, record.source.shape)
        every = self._form.source.all_slices.value
        return [SLICES.format(done[0].upper() + done[1:])] if done and not every else []

    def _plane_shown(self, image: Image | None) -> Index | None:
        if image is None:
            return None
        try:
            return shown_plane(self._viewer, image)
        except InputError:
            return None

    def _remember_values(self, image: Any, model: str, values: ValueRange) -> None:
        if image not in self._values:
            known, layer = self._values, ref(image)

            def forget(event: Any = None) -> None:
                known.pop(layer(), None)

            image.events.data.connect(forget)
        self._values.setdefault(image, {})[model] = values


def _stated_white(layer: Image) -> float | None:
    """Return which value is white, if that is open and the layer's file says it."""
    if pixels_of(layer).dtype in (np.uint8, np.bool_):
        return None
    header = header_of(layer)
    return None if header is None else header.white


def as_stored(facts: Mapping[str, Any]) -> list[str]:
    """Say that labels lie on pixels that other programs show turned."""
    return [AS_STORED.format(facts["unturned"])] if "unturned" in facts else []


def _is_large(layer: Image, part: Part | None) -> bool:
    source = source_of(layer)
    shape = source.shape if part is None else source.cropped(part.box).shape
    return math.prod(shape[-2:]) > LARGEST_WHOLE
