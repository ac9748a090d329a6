"""Why a file among images and masks has no partner: a sentence for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from napari_snow_unet.data.matching import Entry, File
from napari_snow_unet.data.naming import Key, Kind, bare_name, natural_key, says_mask
from napari_snow_unet.data.unread_files import why_not_read

_NAMED = 3


def why_left_over(
    left: Sequence[Entry[File]],
    repeats: Iterable[tuple[Entry[File], Entry[File]]],
    unread: Iterable[tuple[Key, File]],
    label: Callable[[File], str],
) -> list[tuple[File, str]]:
    """Say of each file that is not used why it is not.

    Parameters
    ----------
    left : sequence of Entry
        Images and masks without a partner.
    repeats : iterable of tuple of Entry
        A file that is not used, and the one of its name that is.
    unread : iterable of tuple
        Files that can be neither image nor mask, with the tile that they are of by name.
    label : callable
        What a file is called.

    Returns
    -------
    list of tuple
        File and sentence, in natural order of the files.
    """
    of_name: dict[str, list[tuple[Kind, Entry[File]]]] = defaultdict(list)
    images = {bare_name(entry.key.name, "image") for entry in left if entry.kind == "image"}
    for entry in left:
        stem = bare_name(entry.key.name, "mask")
        is_mask = entry.kind == "mask" or (says_mask(entry.key.name) and stem in images)
        kind: Kind = "mask" if is_mask else "image"
        of_name[bare_name(entry.key.name, kind)].append((kind, entry))
    unreadable: dict[str, list[File]] = defaultdict(list)
    for key, file in unread:
        if why_not_read(label(file)):
            unreadable[bare_name(key.name, "mask")].append(file)
    reasons = [
        (other.file, f"it has the name of {label(used.file)}, which is used.")
        for other, used in repeats
    ]
    for name, entries in of_name.items():
        for kind, entry in entries:
            bad = unreadable[name] if kind == "image" else []
            reasons.append((entry.file, _why(kind, entry, entries, bad, label)))
    return sorted(reasons, key=lambda reason: natural_key(label(reason[0])))


def _why(
    kind: Kind,
    entry: Entry[File],
    of_its_name: list[tuple[Kind, Entry[File]]],
    unreadable: list[File],
    label: Callable[[File], str],
) -> str:
    """Say why one file is left over, from the others of its name that are."""

    def named(entries: list[Entry[File]]) -> str:
        return ", ".join(label(other.file) for other in entries[:_NAMED])

    wanted = "mask" if kind == "image" else "image"
    others = [other for what, other in of_its_name if what != kind]
    near = [other for other in others if other.key.rest == entry.key.rest]
    rivals_anywhere = [o for what, o in of_its_name if what == kind and o is not entry]
    rivals = [other for other in rivals_anywhere if other.key.rest == entry.key.rest]
    if len(near) > 1:
        return f"several files may be its {wanted} ({named(near)}). Keep one of them in the folder."
    if near and rivals:
        return f"it and {named(rivals)} may each be the {kind} of {named(near)}. Keep one of them."
    if near:
        return (
            f"whether {named(near)} is its {wanted} is not clear. Call the folders of images and "
            "masks alike but for these words."
        )
    lacking = f"it has no {wanted} of its name"
    if unreadable:
        file = label(unreadable[0])
        return f"{lacking} that can be read. {file}: {why_not_read(file)}."
    if others:
        return f"{lacking} in its folder, but in another one: {named(others)}."
    twins = [other for other in rivals_anywhere if other.folder != entry.folder]
    if kind == "image" and twins:
        return f"{lacking}. If {named(twins)} is one, call its folder masks."
    return f"{lacking}."
