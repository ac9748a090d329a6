"""The train dock of a plain installation, without TensorFlow and Keras."""

import pytest

from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.widgets.train import device

HOW = 'pip install "napari-snow-unet[train]"'


@pytest.fixture
def tiles(tmp_path):
    """Return a dataset of six tiles."""
    for seed in range(6):
        tile = generate_tile(seed, size=64)
        write_image(tmp_path / "tiles" / "images" / f"{seed}.png", tile.image)
        write_labels(tmp_path / "tiles" / "masks" / f"{seed}.png", tile.labels)
    return tmp_path / "tiles"


def test_it_says_how_to_add_what_trains_and_makes_nothing(
    make_napari_viewer_proxy, qtbot, monkeypatch, tiles, notifications, without_training
):
    monkeypatch.setattr(device, "_cached", {})
    viewer = make_napari_viewer_proxy()
    _, dock = viewer.window.add_plugin_dock_widget("napari-snow-unet", "Train a U-Net")
    dock.form.places.dataset.value = tiles
    dock.form.computing.device.value = "cpu"  # the dock asks which one that is
    qtbot.waitUntil(lambda: HOW in dock.form.device.text())
    qtbot.waitUntil(dock.bar.train_button.isEnabled)
    dock.train()
    qtbot.waitUntil(lambda: not dock.follower.following)
    assert HOW in dock.bar.message.text()
    assert not dock.form.run_folder.exists()
    assert [HOW in str(one.message) for one in notifications()] == [True]
