"""Segmenting an image layer: from a click on Run to the result."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.batch import Outputs
from napari_snow_unet.data.names.file_names import tile_name
from napari_snow_unet.data.pixels.axes import plane_last
from napari_snow_unet.data.pixels.orientation import UPRIGHT
from napari_snow_unet.data.pixels.value_range import ValueRange
from napari_snow_unet.data.slides import slide
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.reproduction import Recipe
from napari_snow_unet.widgets.common.layers import (
    Source,
    image_origin_of,
    pixels_of,
    shown_plane,
)
from napari_snow_unet.widgets.common.pixel_sizes import measured, unturned, white_of_layer
from napari_snow_unet.widgets.common.settings import settings
from napari_snow_unet.widgets.segment import jobs, messages
from napari_snow_unet.widgets.segment.current_result import CurrentResult
from napari_snow_unet.widgets.segment.models import first_run_note
from napari_snow_unet.widgets.segment.region import RegionOfInterest, roi_of
from napari_snow_unet.widgets.segment.results import Compared, Record, Status
from napari_snow_unet.widgets.segment.state import as_stored, in_words, is_large, plane_shown

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

    from napari_snow_unet.widgets.common.run_bar import RunBar
    from napari_snow_unet.widgets.segment.form import SegmentForm


@dataclass(frozen=True, eq=False)
class SegmentationRequest:
    """The image and choices of one click on Run."""

    image: ref[Image]
    source: Source
    model: str
    options: Options
    pixels: int  # id() of the array
    origin: dict[str, Any]
    roi: RegionOfInterest | None
    target: ref[Labels] | None = None  # the result to update
    changes: int = 0  # of the target, before this run


class LayerJob:
    """Runs the segmentation of the chosen layer."""

    def __init__(
        self, viewer: Viewer, form: SegmentForm, bar: RunBar, current: CurrentResult
    ) -> None:
        self._viewer, self._form, self._bar, self._current = viewer, form, bar, current
        self._values: WeakKeyDictionary[Image, dict[str, ValueRange]] = WeakKeyDictionary()

    def run(self) -> None:
        """Segment the chosen layer."""
        layer = self._form.image.value
        roi = roi_of(self._viewer, layer, self._form.roi.value)
        (source, _), options = measured(layer), self._form.options()
        pixels, origin = pixels_of(layer), image_origin_of(layer)
        if (orientation := unturned(layer)) != UPRIGHT:
            origin["unturned"] = orientation
        if roi is not None and plane_last(source.shape) != source.shape:
            raise InputError(messages.region_without_plane(source.shape))
        if roi is not None:
            source, pixels = source.cropped(roi.box), roi.cut(pixels, rgb=source.rgb)
            origin["part"] = list(roi.box)
        planes = None if self._form.source.all_slices.value else [shown_plane(self._viewer, layer)]
        request = SegmentationRequest(
            image=ref(layer),
            source=source,
            model=self._form.model.value,
            options=options,
            pixels=id(pixels_of(layer)),
            origin=origin,
            roi=roi,
        )
        if is_large(layer, roi):
            self._run_to_files(request, pixels)
            return
        target = self._target(layer, source, options, roi)
        steps = partial(
            jobs.segment_layer,
            pixels,
            request.model,
            options,
            rgb=source.rgb,
            planes=planes,
            pixel_size_um=source.pixel_size_um,
            values=self._values.get(layer, {}).get(request.model),
            whole=pixels_of(layer),
            white=white_of_layer(layer),
            earlier=None if target is None else (target[0].data, target[1].planes),
            precision=settings().precision,
            region=None if roi is None else roi.region,
        )
        if target is not None:
            request = replace(request, target=ref(target[0]), changes=target[1].changes)
        self._bar.start(
            steps,
            title=messages.segmenting(source.name),
            on_done=partial(self._segmented, request),
            cancelling=messages.CANCELLING,
        )

    def _run_to_files(self, request: SegmentationRequest, pixels: Any) -> None:
        """Segment a plane that does not fit into memory."""
        fields, source, roi = self._form.source, request.source, request.roi
        size = math.prod(source.shape[-2:])
        if len(source.shape) > 2:
            raise InputError(messages.slices_too_large(size, slide.LARGEST_WHOLE))
        if fields.results.value is None:
            raise InputError(messages.no_folder_for_large(size))
        stem = tile_name(Path(request.origin.get("source", request.source.name)))
        place = "" if roi is None else f"_y{roi.rows.start}_x{roi.columns.start}"
        side = source.pixel_size_um
        image = request.image()
        plane = slide.Slide(
            (pixels,),
            None if side is None else (side, side),
            Path(re.sub(r"[^\w-]+", "_", stem) + place),
            white=None if image is None else white_of_layer(image),
        )
        chosen = {**self._form.files(), "overlay": False}
        outputs = Outputs(fields.results.value, **chosen)
        steps = partial(
            jobs.segment_to_files,
            plane,
            request.model,
            request.options,
            outputs,
            whole=pixels if image is None else pixels_of(image),
            precision=settings().precision,
            region=None if roi is None else roi.region,
        )
        self._bar.start(
            steps,
            title=messages.segmenting(source.name),
            on_done=partial(self._written, request),
            cancelling=messages.CANCELLING,
            writes=True,
        )

    def _written(self, request: SegmentationRequest, written: jobs.WrittenResult) -> None:
        result = written.result
        self._form.show_device(written.model.device, written.model.precision)
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
        layer = self._current.results.add_written(
            request.image, request.source, recipe, request.roi, written.labels, written.levels
        )
        self._current.draw(layer=layer)
        self._form.show_threshold(result.threshold)
        text = [
            *in_words(layer, result.summary, request.options),
            *result.messages,
            *as_stored(facts),
            messages.STORED_ON_DISK,
        ]
        notes = first_run_note(self._viewer, request.model)
        self._bar.say("\n".join([" ".join(text), *notes]))

    def _target(
        self, layer: Image, source: Source, options: Options, roi: RegionOfInterest | None
    ) -> tuple[Labels, Record] | None:
        """Return the result to update: same image, same choices, not edited."""
        pixel_size_um = options.effective_pixel_size(source.pixel_size_um)
        mark = None if roi is None else roi.name
        for target, record in self._current.results.of(layer):
            same = (
                record.model == self._form.model.value
                and record.source.lies_like(source)
                and record.options.output == options.output
                and record.options.channel == options.channel
                and record.pixel_size_um == pixel_size_um
                and (None if record.roi is None else record.roi.name) == mark
                and record.options.test_time_augmentation == options.test_time_augmentation
            )
            if same and self._current.results.status(target) is not Status.EDITED:
                return target, record
        return None

    def _segmented(self, request: SegmentationRequest, segmented: jobs.Segmented) -> None:
        image, result = request.image(), segmented.result
        self._form.show_device(segmented.model.device, segmented.model.precision)
        if image is not None and id(pixels_of(image)) == request.pixels:
            self._remember_values(image, request.model, segmented.values)
        target = request.target() if request.target is not None else None
        results, shown = self._current.results, plane_shown(self._viewer, image)
        record, compared = results.get(target), Compared(request.changes, segmented.changed)
        notes = first_run_note(self._viewer, request.model)
        if record is not None and results.status(target, shown, compared) is Status.UNTOUCHED:
            record = replace(record.updated(result, request.options), roi=request.roi)
            results.rewrite(target, record, result.labels, result.planes)
        else:
            record = Record(
                image=request.image,
                source=request.source,
                model=request.model,
                probability=result.probability,
                planes=result.planes,
                options=request.options,
                floor=segmented.model.threshold_floor,
                pixel_size_um=result.pixel_size_um,
                provenance=result.provenance | request.origin,
                roi=request.roi,
            )
            edited = self._edited(image)
            target = self._current.add(record, result.labels)
            notes += [messages.new_beside_edited(edited)] if edited else []
        self._current.describe(target, record, result, *notes)
        self._current.segmented.emit()

    def _edited(self, image: Image | None) -> str:
        """Name the results of an image that were edited by hand."""
        results = self._current.results.of(image)
        names = (layer.name for layer, _ in results if self._current.is_edited(layer))
        return ", ".join(f"“{name}”" for name in names)

    def _remember_values(self, image: Any, model: str, values: ValueRange) -> None:
        if image not in self._values:
            values_of, layer = self._values, ref(image)

            def forget(event: Any = None) -> None:
                values_of.pop(layer(), None)

            image.events.data.connect(forget)
        self._values.setdefault(image, {})[model] = values
