"""Segmenting an image layer: from one click on Run to its result."""

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
from napari_snow_unet.widgets.segment import jobs
from napari_snow_unet.widgets.segment.current_result import CurrentResult, as_stored
from napari_snow_unet.widgets.segment.region import RegionOfInterest, roi_of
from napari_snow_unet.widgets.segment.results import Compared, Record, Status
from napari_snow_unet.widgets.segment.state import is_large

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

    from napari_snow_unet.widgets.common.run_bar import RunBar
    from napari_snow_unet.widgets.segment.form import SegmentForm

STORED_ON_DISK = "The labels are files, which sliders leave alone: run again to change them."


@dataclass(frozen=True, eq=False)
class SegmentationRequest:
    """What a person asked for with one click on Run."""

    image: ref[Image]
    source: Source
    model: str
    options: Options
    pixels: int  # their identity
    origin: dict[str, Any]
    roi: RegionOfInterest | None
    target: ref[Labels] | None = None  # the result to bring up to date
    changes: int = 0  # of that


class LayerJob:
    """Runs the segmentation of the chosen layer."""

    def __init__(
        self, viewer: Viewer, form: SegmentForm, bar: RunBar, current: CurrentResult
    ) -> None:
        self._viewer, self._form, self._bar, self._current = viewer, form, bar, current
        self._values: WeakKeyDictionary[Image, dict[str, ValueRange]] = WeakKeyDictionary()

    def run(self) -> None:
        """Segment the chosen layer as it is now."""
        layer = self._form.image.value
        roi = roi_of(self._viewer, layer, self._form.roi.value)
        (source, _), options = measured(layer), self._form.options()
        pixels, origin = pixels_of(layer), image_origin_of(layer)
        if (orientation := unturned(layer)) != UPRIGHT:
            origin["unturned"] = orientation
        if roi is not None and plane_last(source.shape) != source.shape:
            raise InputError(
                f"a part of an image of shape {source.shape}, which has no plane at its end",
                expected="the whole image",
                remedy="Choose the whole image.",
            )
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
            title=f"Segmenting {source.name}",
            on_done=partial(self._segmented, request),
            cancelling=jobs.CANCELLING,
        )

    def _run_to_files(self, request: SegmentationRequest, pixels: Any) -> None:
        """Segment a plane that is too large to be handled in memory."""
        fields, source, roi = self._form.source, request.source, request.roi
        if len(source.shape) > 2:
            raise InputError(
                f"slices of {math.prod(source.shape[-2:]):,} pixels",
                expected=f"at most {slide.LARGEST_WHOLE:,} in a slice of a stack",
                remedy="Choose a part of it, or open one slice as an image of its own.",
            )
        if fields.results.value is None:
            raise InputError(
                f"an image of {math.prod(source.shape[-2:]):,} pixels without a folder for results",
                expected="a folder, since labels of this size are written to disk as they come",
                remedy="Choose one under 'Results to', or choose a part of the image.",
            )
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
            title=f"Segmenting {source.name}",
            on_done=partial(self._written, request),
            cancelling=jobs.CANCELLING,
            writes=True,
        )

    def _written(self, request: SegmentationRequest, found: jobs.WrittenResult) -> None:
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
        layer = self._current.results.add_written(
            request.image, request.source, recipe, request.roi, found.labels, found.levels
        )
        self._current.draw(layer=layer)
        self._form.show_threshold(result.threshold)
        said = [f"{layer.name}: {result.summary}.", *result.messages, *as_stored(facts)]
        self._bar.say(" ".join([*said, STORED_ON_DISK]))

    def _target(
        self, layer: Image, source: Source, options: Options, roi: RegionOfInterest | None
    ) -> tuple[Labels, Record] | None:
        """Return the result to bring up to date: same image, same choices, no edit left in it."""
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

    def _segmented(self, request: SegmentationRequest, found: jobs.Segmented) -> None:
        image, result = request.image(), found.result
        self._form.show_device(found.model.device, found.model.precision)
        if image is not None and id(pixels_of(image)) == request.pixels:
            self._remember_values(image, request.model, found.values)
        target = request.target() if request.target is not None else None
        results, shown = self._current.results, self._current.plane_shown(image)
        record, compared = results.get(target), Compared(request.changes, found.changed)
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
                floor=found.model.threshold_floor,
                pixel_size_um=result.pixel_size_um,
                provenance=result.provenance | request.origin,
                roi=request.roi,
            )
            target = self._current.add(record, result.labels)
        self._current.tell(target, record, result)
        self._current.segmented.emit()

    def _remember_values(self, image: Any, model: str, values: ValueRange) -> None:
        if image not in self._values:
            known, layer = self._values, ref(image)

            def forget(event: Any = None) -> None:
                known.pop(layer(), None)

            image.events.data.connect(forget)
        self._values.setdefault(image, {})[model] = values
