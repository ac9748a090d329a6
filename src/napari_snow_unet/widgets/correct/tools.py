"""The tools: what they are called, their keys, and what a mouse does with them."""

from __future__ import annotations

from dataclasses import dataclass

from napari_snow_unet.widgets.correct import messages


@dataclass(frozen=True)
class Tool:
    """A way to correct labels with the mouse."""

    name: str
    label: str
    tip: str
    key: str  # that napari leaves free for Labels and the viewer
    drawn: bool = False  # by dragging; else by clicks, between which the view can be moved
    closed: bool = False  # whether the end of what is drawn is joined with its start

    @property
    def hint(self) -> str:
        """What to do while it is in use."""
        return f"{self.tip} {messages.LEAVE}"

    def tip_with(self, key: str) -> str:
        """Return the tooltip, with the key that does the same, if any."""
        return f"{self.tip} ({key})" if key else self.tip


DELETE = Tool("delete", messages.DELETE_LABEL, messages.DELETE_TIP, "D")
MERGE = Tool("merge", messages.MERGE_LABEL, messages.MERGE_TIP, "J")
SEPARATE = Tool("separate", messages.SEPARATE_LABEL, messages.SEPARATE_TIP, "S", drawn=True)
ADD = Tool("add", messages.ADD_LABEL, messages.ADD_TIP, "A")
OUTLINE = Tool(
    "outline", messages.OUTLINE_LABEL, messages.OUTLINE_TIP, "O", drawn=True, closed=True
)
FILL = Tool("fill", messages.FILL_LABEL, messages.FILL_TIP, "H")
TOOLS = (DELETE, MERGE, SEPARATE, ADD, OUTLINE, FILL)
