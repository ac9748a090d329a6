"""Why a file among images and masks has no partner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from napari_snow_unet.data.names.file_names import (
    LOOKED_INTO,
    Key,
    Kind,
    bare_name,
    natural_key,
    says_mask,
)
from napari_snow_unet.data.pairs import messages
from napari_snow_unet.data.pairs.entries import Access, Entry, File
from napari_snow_unet.data.pairs.unread_files import why_not_read

_NAMED = 3


def why_left_over(
    left: Sequence[Entry[File]],
    repeats: Iterable[tuple[Entry[File], Entry[File]]],
    unread: Iterable[tuple[Key, File]],
    access: Access[File],
) -> list[tuple[File, str]]:
    """Return why each file is not used, in natural order of the files.

    If an image is left over, annotations in JSON or XML that are not read are among them.
    """
    label = access.label
    of_name: dict[str, list[tuple[Kind, Entry[File]]]] = defaultdict(list)
    images = {bare_name(entry.key.name, "image") for entry in left if entry.kind == "image"}
    for entry in left:
        stem = bare_name(entry.key.name, "mask")
        is_mask = entry.kind == "mask" or (says_mask(entry.key.name) and stem in images)
        kind: Kind = "mask" if is_mask else "image"
        of_name[bare_name(entry.key.name, kind)].append((kind, entry))
    reasons = [(other.file, messages.same_name(label(used.file))) for other, used in repeats]
    unreadable: dict[str, list[str]] = defaultdict(list)
    for key, file in unread if images else ():
        looked_into = file.name.lower().endswith(LOOKED_INTO)
        foreign = access.why_foreign(file) if looked_into else ""
        name = bare_name(key.name, "mask")
        if why := foreign or why_not_read(label(file)):
            unreadable[name].append(f"{label(file)}: {why}")
        if foreign and name not in images:
            reasons.append((file, foreign))
    for name, entries in of_name.items():
        for kind, entry in entries:
            bad = unreadable[name] if kind == "image" else []
            reasons.append((entry.file, _why(kind, entry, entries, bad, access)))
    return sorted(reasons, key=lambda reason: natural_key(label(reason[0])))


def _why(
    kind: Kind,
    entry: Entry[File],
    of_its_name: list[tuple[Kind, Entry[File]]],
    unreadable: list[str],
    access: Access[File],
) -> str:
    """Return why one file is left over, from the others of its name that are."""

    def named(entries: list[Entry[File]]) -> str:
        return ", ".join(access.label(other.file) for other in entries[:_NAMED])

    wanted = "mask" if kind == "image" else "image"
    others = [other for what, other in of_its_name if what != kind]
    near = [other for other in others if other.key.rest == entry.key.rest]
    rivals_anywhere = [o for what, o in of_its_name if what == kind and o is not entry]
    rivals = [other for other in rivals_anywhere if other.key.rest == entry.key.rest]
    if len(near) > 1:
        return messages.several_partners(wanted, named(near))
    if near and rivals:
        return messages.rivals(named(rivals), kind, named(near))
    if near:
        return messages.unclear(named(near), wanted)
    if unreadable:
        return messages.partner_not_read(wanted, unreadable[0])
    if others:
        return messages.partner_elsewhere(wanted, named(others), len(others))
    if entry.suffix == ".json" and (names := access.names_in(entry.file)):
        some = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
        return messages.images_missing(some)
    twins = [other for other in rivals_anywhere if other.folder != entry.folder]
    if kind == "image" and twins:
        return messages.may_be_masks(wanted, named(twins))
    return messages.without_partner(wanted)
