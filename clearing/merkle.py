"""The shape of the trees of a seal: that of RFC 6962, grown leaf by leaf. What their nodes are, and how two are joined, is handed in (`clearing/seal.py`)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

N = TypeVar("N")
Join = Callable[[N, N], N]


class Tree(Generic[N]):
    """A Merkle tree that grows leaf by leaf and keeps only the roots of its complete subtrees, one for each bit of their number.

    Its shape is that of RFC 6962: left of each node stands the largest complete subtree that leaves something for the right.
    """

    def __init__(self, join: Join[N]) -> None:
        self.join = join
        self.count = 0
        self.complete: list[tuple[int, N]] = []
        """The roots of the complete subtrees, each with its height, from left to right."""

    def add(self, node: N, height: int = 0) -> None:
        """One more leaf, at the end; or the root of a complete subtree of 2 ** `height` leaves, where so many fit at the end as they stand there."""
        self.count += 1 << height
        complete = self.complete
        while complete and complete[-1][0] == height:
            node = self.join(complete.pop()[1], node)
            height += 1
        complete.append((height, node))

    def root(self) -> N:
        """The root of all leaves so far. Raises ValueError where there are none."""
        if not self.complete:
            raise ValueError("a tree without leaves has no root")
        *rest, (_, root) = self.complete
        for _, left in reversed(rest):
            root = self.join(left, root)
        return root


def root_of(leaves: Iterable[N], join: Join[N]) -> N:
    """The root over some leaves."""
    tree: Tree[N] = Tree(join)
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def path_to(leaves: Sequence[N], index: int, join: Join[N]) -> list[N]:
    """The nodes beside the way from a leaf up to the root, the lowest first."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*path_to(leaves[:split], index, join), root_of(leaves[split:], join)]
    return [*path_to(leaves[split:], index - split, join), root_of(leaves[:split], join)]


def climb(leaf: N, index: int, count: int, path: Sequence[N], join: Join[N]) -> N:
    """The root that follows from a leaf at its place among `count` and the nodes beside its way up. Raises ValueError where they do not fit."""
    if not 0 <= index < count:
        raise ValueError(f"place {index} is not one of {count}")
    sides = list(_sides(index, count))
    if len(sides) != len(path):
        raise ValueError(f"the way up has {len(sides)} steps, the proof {len(path)}")
    node = leaf
    for beside, is_left in zip(path, sides, strict=True):
        node = join(beside, node) if is_left else join(node, beside)
    return node


def _split(count: int) -> int:
    """How many leaves stand left: the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _sides(index: int, count: int) -> Iterator[bool]:
    """For each step up, the lowest first, whether the node beside the way is the left one."""
    if count == 1:
        return
    split = _split(count)
    if index < split:
        yield from _sides(index, split)
        yield False
    else:
        yield from _sides(index - split, count - split)
        yield True
