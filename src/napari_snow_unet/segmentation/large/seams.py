"""Components that extend over several blocks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]  # top, left, bottom, right; the last two are exclusive


@dataclass
class Piece:
    """First pixel, box and area of a component, or of its piece in one block."""

    first: tuple[int, int]  # pixel in row-major order
    box: Box
    area: int

    def __add__(self, other: Piece) -> Piece:
        """Join two pieces."""
        (top, left, bottom, right), (t, c, b, r) = self.box, other.box
        box = min(top, t), min(left, c), max(bottom, b), max(right, r)
        return Piece(min(self.first, other.first), box, self.area + other.area)


@dataclass
class Seams:
    """Joins pieces along the edges of blocks, which are added in row-major order."""

    width: int  # of the image, in pixels
    pieces: list[Piece] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._above = np.full(self.width + 2, -1, np.int64)  # the last row of the blocks above
        self._below = self._above.copy()
        self._left = np.zeros(0, np.int64)  # the last column of the block to the left
        self._row = -1

    def add(self, piece: Piece) -> int:
        """Add a piece that touches the edge of its block; return its number."""
        self.pieces.append(piece)
        self.parents.append(len(self.parents))
        return len(self.parents) - 1

    def join(
        self, parts: NDArray[np.int32], numbers: NDArray[np.int64], top: int, left: int
    ) -> None:
        """Join the pieces of a block with those above and left; `numbers` is -1 off its edge."""
        first, last = numbers[parts[0]], numbers[parts[-1]]
        leftmost, rightmost = numbers[parts[:, 0]], numbers[parts[:, -1]]
        if top != self._row:
            self._above, self._below = self._below, np.full(self.width + 2, -1, np.int64)
            self._row, self._left = top, np.zeros(0, np.int64)
        width = parts.shape[1]
        for shift in (0, 1, 2):  # the three neighbours above, corners included
            self._join_all(first, self._above[left + shift : left + shift + width])
        if self._left.size:
            framed = np.pad(self._left, 1, constant_values=-1)
            for shift in (0, 1, 2):
                self._join_all(leftmost, framed[shift : shift + parts.shape[0]])
        self._left = rightmost
        self._below[left + 1 : left + 1 + width] = last

    def root(self, number: int) -> int:
        """Return the number that all pieces of a component share."""
        while self.parents[number] != number:
            self.parents[number] = self.parents[self.parents[number]]
            number = self.parents[number]
        return number

    def components(self) -> dict[int, Piece]:
        """Return the components by the number of their root."""
        whole: dict[int, Piece] = {}
        for number, piece in enumerate(self.pieces):
            root = self.root(number)
            whole[root] = whole[root] + piece if root in whole else piece
        return whole

    def _join_all(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
        both = (one >= 0) & (other >= 0)
        for pair in np.unique(np.stack([one[both], other[both]], axis=1), axis=0):
            first, second = self.root(int(pair[0])), self.root(int(pair[1]))
            self.parents[max(first, second)] = min(first, second)
