"""The form of the segment dock: what a person can choose, with names, defaults and help."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

from magicgui import magicgui
from magicgui.widgets import ComboBox, Widget
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_snow_unet.segmentation.nuclei import REFERENCE_PIXEL_UM, SMALLEST_NUCLEUS_UM2
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.preprocess import CHANNELS
from napari_snow_unet.segmentation.stack import slider_value

LARGEST_AREA_UM2 = 50.0
PIXELS_PER_UM2 = 1 / REFERENCE_PIXEL_UM**2
COMBO_CHARACTERS = 12
BROWSE_WIDTH = 32
MODEL_TIP = "A network, or the classical method, which needs none."


def source(
    kind: str = "layer",
    all_slices: bool = False,
    folder: Path | None = None,
    results: Path | None = None,
    probability: bool = False,
    overlay: bool = False,
    overwrite: bool = False,
) -> None:
    """Choose what to segment.

    Parameters
    ----------
    kind : str
        An image layer of this viewer, or all images of a folder, whose results are written to
        files.
    all_slices : bool
        Segment every slice of the stack, each by itself with its own Otsu threshold; otherwise
        the slice that is shown. Numbers start at 1 in every slice: the same number in two slices
        is not the same nucleus.
    folder : Path
        Folder of images. PNG, TIFF, JPEG and the like directly inside it are taken.
    results : Path
        Folder for the results: label images and summary.csv.
    probability : bool
        Also write the probability map of each image.
    overlay : bool
        Also write each image with the outlines of its nuclei.
    overwrite : bool
        Replace results that are there already; otherwise such images are reported as failed.
    """


def network(pixel_size: float = 0.0, channel: str = "", tile: int = 1024) -> dict[str, Any]:
    """Choose what the network sees.

    Parameters
    ----------
    pixel_size : float
        Micrometres per pixel, where you know better than the layer or file. A model is trained
        for a range of pixel sizes; an image outside it is resampled for the model.
    channel : str
        What of a colour image is used. Models do best on the channel they were trained on.
    tile : int
        Edge of the tiles in pixels, a multiple of 64. Smaller tiles need less memory; the result
        does not depend on it.

    Returns
    -------
    dict
        Entries of `Options`.
    """
    return {"pixel_size_um": pixel_size or None, "channel": channel or None, "tile": tile}


def nuclei(
    output: Literal["nuclei", "mask"] = "nuclei",
    split: bool = True,
    otsu: bool = True,
    threshold: float = 0.5,
    smallest_area: float = SMALLEST_NUCLEUS_UM2,
    fill_holes: bool = True,
    clear_border: bool = False,
) -> dict[str, Any]:
    """Choose what is a nucleus; this can be changed after a run without running again.

    Parameters
    ----------
    output : str
        Every nucleus with its own number, or one number for all.
    split : bool
        Separate touching nuclei by a watershed.
    otsu : bool
        Find the threshold by Otsu's method. Moving the slider switches it off.
    threshold : float
        Probability above which a pixel is nucleus. Moving it changes the result at once.
    smallest_area : float
        Smaller nuclei are dropped. Moving it changes the result at once.
    fill_holes : bool
        Fill small holes in nuclei.
    clear_border : bool
        Drop nuclei that touch the border of the image, for counts and areas without cut ones.

    Returns
    -------
    dict
        Entries of `Options`, the smallest area in the unit of the form.
    """
    return {
        "output": output,
        "split": split,
        "threshold": "otsu" if otsu else threshold,
        "smallest_area": smallest_area,
        "fill_holes": fill_holes,
        "clear_border": clear_border,
    }


class SegmentForm(QWidget):
    """The fields of the segment dock in their order.

    Attributes
    ----------
    image, model : magicgui ComboBox
        An image layer; a model by name or path.
    source, network, nuclei : magicgui FunctionGui
        The fields of the functions of these names.
    """

    def __init__(self) -> None:
        super().__init__()
        self.image = ComboBox(choices=[], tooltip="The image; follows the active image layer.")
        self.model = ComboBox(
            choices=[],
            tooltip=MODEL_TIP,
        )
        self.source = magicgui(
            source,
            call_button=False,
            kind={
                "choices": [("image layer", "layer"), ("folder of images", "folder")],
                "widget_type": "ComboBox",
            },
            all_slices={"text": "All slices"},
            folder={"mode": "d"},
            results={"mode": "d"},
            probability={"text": "Probability maps"},
            overlay={"text": "Outlines on the image"},
            overwrite={"text": "Replace existing results"},
        )
        own = [("the model's own", ""), *((name, name) for name in CHANNELS if name != "rgb")]
        self.network = magicgui(
            network,
            call_button=False,
            pixel_size={"min": 0, "max": 1000, "step": 0.01},
            channel={"choices": own, "widget_type": "ComboBox"},
            tile={"min": 64, "max": 8192, "step": 64},
        )
        self.nuclei = magicgui(
            nuclei,
            call_button=False,
            output={
                "choices": [("each nucleus", "nuclei"), ("one mask", "mask")],
                "widget_type": "ComboBox",
            },
            split={"text": "Split touching nuclei"},
            otsu={"text": "Otsu"},
            threshold={"widget_type": "FloatSlider", "min": 0, "max": 1, "step": 0.001},
            smallest_area={
                "widget_type": "FloatSlider",
                "min": 0,
                "max": LARGEST_AREA_UM2,
                "step": 0.1,
            },
            fill_holes={"text": "Fill holes"},
            clear_border={"text": "Drop nuclei at the border"},
        )
        self._unit = ""
        self._rows: dict[Widget, QLabel] = {}
        self.relabelling = [
            getattr(self.nuclei, name)
            for name in (
                "otsu", "threshold", "smallest_area", "split", "fill_holes", "clear_border",
            )
        ]  # fmt: skip
        for path in (self.source.folder, self.source.results):
            path.choose_btn.text = "…"
            path.choose_btn.native.setMaximumWidth(BROWSE_WIDTH)
        self._note = QLabel()
        self._note.setWordWrap(True)
        self._lay_out()
        self._take_unit("µm²")
        self.show_kind()
        self.nuclei.threshold.changed.connect(self._by_hand)
        self.source.kind.changed.connect(self.show_kind)

    def options(self) -> Options:
        """Return the choices."""
        chosen = {**self.network(), **self.nuclei()}
        area = chosen.pop("smallest_area")
        if abs(area - self._default_area) > 1e-6:  # the default means the same in either unit
            chosen["min_area_um2" if self._unit == "µm²" else "min_area"] = area
        return Options(**chosen)

    def show_options(self, options: Options, threshold: float) -> None:
        """Show the choices that an earlier result was made with."""
        fields = self.nuclei
        with self._silently():
            fields.output.value, fields.split.value = options.output, options.split
            fields.otsu.value = options.threshold == "otsu"
            fields.fill_holes.value = options.fill_holes
            fields.clear_border.value = options.clear_border
            area = options.min_area_um2 if self._unit == "µm²" else options.min_area
            area = self._default_area if area is None else area
            fields.smallest_area.value = min(area, fields.smallest_area.max)
        self.show_threshold(threshold)

    def show_threshold(self, threshold: float) -> None:
        """Show a threshold without taking it for the person's choice."""
        with self._silently():
            self.nuclei.threshold.value = slider_value(threshold)

    def show_model(self, facts: str, problem: str) -> None:
        """Describe the model that is chosen, and say why it cannot be used."""
        self.model.tooltip = facts or MODEL_TIP
        self._note.setText(problem)
        self._note.setVisible(bool(problem))

    def show_pixel_size(self, pixel_size_um: float | None, unknown: str = "unknown") -> None:
        """Say which pixel size the image itself has, and take areas in its unit."""
        said = unknown if pixel_size_um is None else f"{pixel_size_um:g} (from the layer)"
        self.network.pixel_size.native.setSpecialValueText(said)
        known = pixel_size_um or self.network.pixel_size.value
        self._take_unit("µm²" if known else "px")

    def show_kind(self) -> None:
        """Show the fields of a layer or those of a folder."""
        layer, fields = self.source.kind.value == "layer", self.source
        for widget in (
            fields.folder,
            fields.results,
            fields.probability,
            fields.overlay,
            fields.overwrite,
        ):
            self.set_row_visible(widget, not layer)
        self.set_row_visible(self.image, layer)

    def set_row_visible(self, widget: Widget, visible: bool) -> None:
        """Show or hide a field with its label."""
        widget.native.setVisible(visible)
        self._rows[widget].setVisible(visible)

    def _by_hand(self) -> None:
        with self.nuclei.otsu.changed.blocked():
            self.nuclei.otsu.value = False

    @contextmanager
    def _silently(self) -> Iterator[None]:
        """Change fields without anybody taking it for the person's choice."""
        with ExitStack() as blocked:
            for field in (self.nuclei, *self.nuclei):
                blocked.enter_context(field.changed.blocked())
            yield

    @property
    def _default_area(self) -> float:
        return SMALLEST_NUCLEUS_UM2 * (1 if self._unit == "µm²" else PIXELS_PER_UM2)

    def _take_unit(self, unit: str) -> None:
        """State areas in another unit; those in pixels are taken for pixels of 0.25 µm."""
        if unit == self._unit:
            return
        per_um2 = {"": 1.0, "µm²": 1.0, "px": PIXELS_PER_UM2}
        area = self.nuclei.smallest_area
        value = area.value * per_um2[unit] / per_um2[self._unit]
        with self._silently():
            area.max = LARGEST_AREA_UM2 * per_um2[unit]
            area.step = 0.1 * per_um2[unit]
            area.value = value
            readout = area.native.findChild(QDoubleSpinBox)
            if readout is not None:
                readout.setDecimals(1 if unit == "µm²" else 0)
        self._unit = unit
        self._rows[area].setText(f"Smallest ({unit})")

    def _lay_out(self) -> None:
        main, more = _Rows(self._rows), _Rows(self._rows)
        main.add("Segment", self.source.kind)
        main.add("Image", self.image)
        main.add("", self.source.all_slices)
        main.add("Folder", self.source.folder)
        main.add("Results to", self.source.results)
        main.add("Also write", self.source.probability)
        main.add("", self.source.overlay)
        main.add("", self.source.overwrite)
        main.add("Model", self.model)
        main.add_note(self._note)
        main.add("Pixel size (µm)", self.network.pixel_size)
        main.rule()
        main.add("Find", self.nuclei.output)
        main.add("", self.nuclei.split)
        main.add("Threshold", self.nuclei.otsu)
        main.add("", self.nuclei.threshold)
        main.add("Smallest (µm²)", self.nuclei.smallest_area)
        more.add("Channel", self.network.channel)
        more.add("", self.nuclei.fill_holes)
        more.add("", self.nuclei.clear_border)
        more.add("Tile size (px)", self.network.tile)
        self.advanced = QCollapsible("Advanced", self, expandedIcon="▾", collapsedIcon="▸")
        self.advanced.setDuration(0)
        self.advanced.setContent(more)
        self.advanced.collapse(animate=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(main)
        layout.addWidget(self.advanced)
        layout.addStretch()


class _Rows(QWidget):
    def __init__(self, rows: dict[Widget, QLabel]) -> None:
        super().__init__()
        self._rows = rows
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)

    def add(self, text: str, widget: Widget) -> None:
        label = QLabel(text)
        label.setToolTip(widget.tooltip or "")
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance("Pixel size (µm) "))
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        native = widget.native
        native.setSizePolicy(QSizePolicy.Policy.Expanding, native.sizePolicy().verticalPolicy())
        if isinstance(widget, ComboBox):
            native.setMinimumContentsLength(COMBO_CHARACTERS)
            native.setSizeAdjustPolicy(
                native.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        self._rows[widget] = label
        self._form.addRow(label, native)

    def add_note(self, label: QLabel) -> None:
        label.setStyleSheet("QLabel { color: #e8803c; }")
        self._form.addRow(label)

    def rule(self) -> None:
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        self._form.addRow(line)
