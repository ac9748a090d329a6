"""What the prepare dock allows, without a window."""

from napari_snow_unet.widgets.prepare import messages
from napari_snow_unet.widgets.prepare.state import look


def test_the_hint_names_the_first_choice_that_is_missing(tmp_path):
    hints = [
        look(sources, dataset, running=False).hint
        for sources, dataset in (
            ([], None),
            ([], tmp_path),
            ([tmp_path], None),
            ([tmp_path], tmp_path),
        )
    ]
    assert hints == [messages.NO_SOURCE, messages.NO_SOURCE, messages.NO_DATASET, ""]


def test_only_a_folder_that_exists_can_be_checked_and_only_while_nothing_runs(tmp_path):
    (tmp_path / "file").touch()
    for dataset, running, allowed in (
        (tmp_path, False, True),
        (tmp_path, True, False),
        (tmp_path / "new", False, False),
        (tmp_path / "file", False, False),
        (None, False, False),
    ):
        state = look([], dataset, running=running)
        assert state.existing == (dataset if allowed else None)
        reason = messages.BUSY if running else messages.NOT_A_FOLDER
        assert state.why_no_folder == ("" if allowed else reason)
