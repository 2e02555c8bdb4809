"""A disk that remembers every write and flush, so that the power can be cut at any moment of the past.

It stands in front of SQLite's own file system (a VFS shim, https://www.sqlite.org/vfs.html) in the very library that
Python's sqlite3 uses, so nothing of the program knows. After a cut, what was flushed is there; of what was not, each
512-byte sector is there or not, by chance.
"""

from __future__ import annotations

import ctypes as c
import ctypes.util
import random
import threading
from pathlib import Path
from typing import NamedTuple, Self

SECTOR = 512
FULL = 13
_INT64 = c.c_int64
_P = c.c_void_p
_OPEN = c.CFUNCTYPE(c.c_int, _P, _P, _P, c.c_int, _P)  # the name as it lies in memory: SQLite goes on using it there
_WRITE = c.CFUNCTYPE(c.c_int, _P, _P, c.c_int, _INT64)
_TRUNCATE = c.CFUNCTYPE(c.c_int, _P, _INT64)
_DELETE = c.CFUNCTYPE(c.c_int, _P, c.c_char_p, c.c_int)
_SYNC = c.CFUNCTYPE(c.c_int, _P, c.c_int)


class _Methods(c.Structure):
    """sqlite3_io_methods, as far as version 3."""

    _fields_ = [("version", c.c_int), ("close", _P), ("read", _P), ("write", _P), ("truncate", _P), ("sync", _P)] + [
        (f"rest{n}", _P) for n in range(13)
    ]


class _File(c.Structure):
    _fields_ = [("methods", c.POINTER(_Methods))]


class _Vfs(c.Structure):
    """sqlite3_vfs, version 3."""

    _fields_ = [
        ("version", c.c_int),
        ("size", c.c_int),
        ("longest", c.c_int),
        ("next", _P),
        ("name", c.c_char_p),
        ("data", _P),
        ("open", _P),
        ("delete", _P),
    ] + [(f"rest{n}", _P) for n in range(13)]


_KEPT: list[Disk] = []
"""SQLite may close a file long after a test has ended, and then still looks here for how."""


class Op(NamedTuple):
    """One thing done to a file: `write` with bytes at a place, `cut` to a length, `gone`, or `sync`."""

    do: str
    file: str
    at: int = 0
    body: bytes = b""


class Disk:
    """Everything done to files whose names begin with `folder`, in order. `full` makes every write fail."""

    def __init__(self, folder: Path) -> None:
        self.ops: list[Op] = []
        self.full = False
        self._folder = str(folder)
        self._names: dict[int, str] = {}
        self._patched: dict[int, _Methods] = {}
        self._patching = threading.Lock()
        self._lib = c.CDLL(ctypes.util.find_library("sqlite3") or "libsqlite3.so.0")
        self._lib.sqlite3_vfs_find.restype = c.POINTER(_Vfs)
        self._lib.sqlite3_vfs_find.argtypes = [c.c_char_p]
        self._lib.sqlite3_vfs_register.argtypes = [c.POINTER(_Vfs), c.c_int]
        self._lib.sqlite3_vfs_unregister.argtypes = [c.POINTER(_Vfs)]

    def __enter__(self) -> Self:
        self._real = self._lib.sqlite3_vfs_find(None)
        self._shim = _Vfs.from_buffer_copy(self._real.contents)
        self._shim.name = b"powercut"
        self._open, self._write = _OPEN(self._opened), _WRITE(self._written)
        self._truncate, self._sync = _TRUNCATE(self._cut), _SYNC(self._synced)
        self._delete = _DELETE(self._deleted)
        self._shim.open, self._shim.delete = c.cast(self._open, _P), c.cast(self._delete, _P)
        self._lib.sqlite3_vfs_register(c.byref(self._shim), 1)
        _KEPT.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._lib.sqlite3_vfs_register(self._real, 1)
        self._lib.sqlite3_vfs_unregister(c.byref(self._shim))

    def _opened(self, _vfs, name, file, flags, out):
        code = _OPEN(self._real.contents.open)(c.cast(self._real, _P).value, name, file, flags, out)
        opened = c.cast(file, c.POINTER(_File)).contents
        called = c.string_at(name).decode() if name else ""
        if code == 0 and opened.methods and called.startswith(self._folder):
            self._names[file] = Path(called).name
            opened.methods = c.pointer(self._patch(opened.methods))
        return code

    def _deleted(self, _vfs, name, flush):
        if name.decode().startswith(self._folder):
            self.ops.append(Op("gone", Path(name.decode()).name))
        return _DELETE(self._real.contents.delete)(c.cast(self._real, _P).value, name, flush)

    def _patch(self, methods):
        key = c.addressof(methods.contents)
        with self._patching:  # two threads may open at once, and a table in use must never be replaced
            if key not in self._patched:
                shim = _Methods.from_buffer_copy(methods.contents)
                self._truly = {
                    "write": _WRITE(shim.write),
                    "truncate": _TRUNCATE(shim.truncate),
                    "sync": _SYNC(shim.sync),
                }
                shim.write, shim.truncate, shim.sync = (
                    c.cast(call, _P) for call in (self._write, self._truncate, self._sync)
                )
                self._patched[key] = shim
            return self._patched[key]

    def _written(self, file, body, size, at):
        if self.full:
            return FULL
        self.ops.append(Op("write", self._names[file], at, c.string_at(body, size)))
        return self._truly["write"](file, body, size, at)

    def _cut(self, file, size):
        self.ops.append(Op("cut", self._names[file], size))
        return self._truly["truncate"](file, size)

    def _synced(self, file, flags):
        code = self._truly["sync"](file, flags)
        self.ops.append(Op("sync", self._names[file]))
        return code

    def after_cut(self, moment: int, chance: random.Random) -> dict[str, bytes]:
        """The files as they are found when the power went after so many operations."""
        return self.on_top({}, moment, chance)

    def on_top(self, before: dict[str, bytes], moment: int, chance: random.Random) -> dict[str, bytes]:
        """The same where there were files before."""
        past = self.ops[:moment]
        synced = {op.file: n for n, op in enumerate(past) if op.do == "sync"}
        files = {name: bytearray(body) for name, body in before.items()}
        for n, op in enumerate(past):
            if op.do == "gone":
                files.pop(op.file, None)
            else:
                _apply(files.setdefault(op.file, bytearray()), op, None if n < synced.get(op.file, -1) else chance)
        return {name: bytes(body) for name, body in files.items()}


def _apply(file: bytearray, op: Op, chance: random.Random | None) -> None:
    """Do an operation for good, or as much of it as chance lets arrive."""
    if op.do == "cut" and (chance is None or chance.random() < 0.5):
        del file[op.at :]
    if op.do != "write":
        return
    for start in range(0, len(op.body), SECTOR):
        if chance is None or chance.random() < 0.5:
            part, at = op.body[start : start + SECTOR], op.at + start
            file.extend(bytes(max(0, at + len(part) - len(file))))
            file[at : at + len(part)] = part


def available() -> bool:
    """True where Python's sqlite3 uses the shared library that can be reached from here."""
    try:
        lib = c.CDLL(ctypes.util.find_library("sqlite3") or "libsqlite3.so.0")
    except OSError:
        return False
    import _sqlite3
    import sqlite3

    lib.sqlite3_libversion.restype = c.c_char_p
    return "sqlite" in Path(_sqlite3.__file__).name and lib.sqlite3_libversion().decode() == sqlite3.sqlite_version
