"""Keys of the tools in a viewer, which leave napari's own and the user's alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from napari_snow_unet.widgets.correct.tools import Tool

if TYPE_CHECKING:
    from napari.viewer import Viewer


class ToolKeys:
    """Calls a function with the tool whose key is pressed; `bound` are the keys it has got."""

    def __init__(
        self, viewer: Viewer, tools: Sequence[Tool], choose: Callable[[Tool], None]
    ) -> None:
        self._viewer = viewer
        self.bound = [tool.key for tool in tools if is_free(tool.key, viewer)]
        for tool in tools:
            if tool.key in self.bound:
                viewer.bind_key(tool.key, _action(tool, choose))

    def release(self) -> None:
        """Give the keys back."""
        for key in self.bound:
            self._viewer.bind_key(key, None)
        self.bound = []


def is_free(key: str, viewer: Viewer) -> bool:
    """Tell whether neither napari nor the user has given a key to the viewer or to Labels."""
    from napari.layers import Labels
    from napari.utils.key_bindings import coerce_keybinding

    keymaps = (viewer.keymap, viewer.class_keymap, Labels.class_keymap)
    return not any(coerce_keybinding(key) in keymap for keymap in keymaps)


def _action(tool: Tool, choose: Callable[[Tool], None]) -> Callable[[Any], None]:
    """Return what a key does: a function, since napari looks for its name."""

    def take_tool(viewer: Any) -> None:
        choose(tool)

    return take_tool
