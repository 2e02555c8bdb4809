"""A configuration and the files it includes, put together into one tree."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

from bot.config.errors import Findings, Place
from bot.config.loader import load
from bot.config.nodes import Listing, Mapping, Node, Scalar
from bot.config.scalars import Reader

_MOST = 1_000


def gather(path: Path, reader: Reader) -> Mapping:
    """The main file with all that it includes, sorted by name. A file that cannot be read counts as empty."""
    findings = reader.findings
    root = _mapping(load(path, str(path), findings), str(path), findings)
    for file in dict.fromkeys(_included(root, path, reader)):
        reader.files.append(file)
        root = _joined(root, _mapping(load(file, str(file), findings), str(file), findings), findings)
    return root


def _mapping(node: Node | None, name: str, findings: Findings) -> Mapping:
    if isinstance(node, Mapping):
        return node
    if node is not None and not (isinstance(node, Scalar) and node.blank):
        findings.wrong(node.place, "a configuration is a mapping: keys such as services:, each with its values below")
    return Mapping(Place(name, 1, 1))


def _included(root: Mapping, path: Path, reader: Reader) -> Iterator[Path]:
    include = root.get("include")
    patterns = include.items if isinstance(include, Listing) else ()
    for node in patterns:
        pattern = reader.scalar(node) if isinstance(node, Scalar) else None
        if not isinstance(pattern, str):
            continue
        reader.files.append((path.parent / pattern).parent)
        found = _matching(node.place, pattern, path.parent, reader.findings)
        yield from (file for file in found if file != path)


def _matching(place: Place, pattern: str, folder: Path, findings: Findings) -> Iterator[Path]:
    if not pattern or "\0" in pattern:
        findings.wrong(place, "this names no file; write it like services.d/*.yaml")
        return
    names = sorted(glob.glob(pattern, root_dir=folder))  # noqa: PTH207 - Path.glob refuses absolute patterns
    if not names and not glob.has_magic(pattern):
        findings.wrong(place, f"there is no file '{pattern}' in the folder of this one")
    if len(names) > _MOST:
        findings.wrong(place, f"'{pattern}' means {len(names)} files; at most {_MOST} can be included")
    yield from (folder / name for name in names[:_MOST])


def _joined(root: Mapping, more: Mapping, findings: Findings) -> Mapping:
    """Both files' keys. A mapping may be filled by several files, but each of its keys by one only."""
    pairs = dict(root.pairs)
    for name, (key, value) in more.pairs.items():
        if name == "include":
            findings.wrong(key.place, "only the main file can include others")
        elif name not in pairs:
            pairs[name] = (key, value)
        elif isinstance(mine := pairs[name][1], Mapping) and isinstance(value, Mapping):
            pairs[name] = (pairs[name][0], _filled(mine, value, name, findings))
        else:
            findings.wrong(key.place, f"'{name}' is already set at {pairs[name][0].place}")
    return Mapping(root.place, pairs)


def _filled(mine: Mapping, theirs: Mapping, name: str, findings: Findings) -> Mapping:
    for inner in theirs.pairs.keys() & mine.pairs.keys():
        place = theirs.pairs[inner][0].place
        findings.wrong(place, f"'{name}.{inner}' is already set at {mine.pairs[inner][0].place}")
    return Mapping(mine.place, mine.pairs | {key: pair for key, pair in theirs.pairs.items() if key not in mine.pairs})
