"""What a function finds in /opt: its layers, one over the other.

Not here: adding layers' packages (packages), which search paths lead there (environment, python/launch.py).
Blocks on the disk.

AWS: "Managing Lambda dependencies with layers": a later layer's file takes the place of an earlier one's.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from tidegate.functions.packages import PackageStore

_NO_LAYERS = Path("/opt")
_PREFIX = "opt-"


class Layers:
    """Merged trees, made once for each list of layers, beside the packages that they are made of."""

    def __init__(self, packages: PackageStore) -> None:
        self._packages = packages

    def opt(self, layers: tuple[str, ...]) -> Path:
        """The directory for these layers, by their `CodeSha256`, in order. Raises OSError, as when one is not there."""
        if not layers:
            return _NO_LAYERS
        sources = [self._packages.path(layer) for layer in layers]
        for source in sources:
            source.stat()
        if len(sources) == 1:
            return sources[0]
        root = sources[0].parent.parent
        merged = root / f"{_PREFIX}{hashlib.sha256(' '.join(layers).encode()).hexdigest()}"
        if not merged.is_dir():
            _merge(sources, merged)
        return merged


def _merge(sources: list[Path], merged: Path) -> None:
    """Appears whole, by one rename. Files are linked, not copied: packages never change."""
    work = Path(tempfile.mkdtemp(prefix=".adding-", dir=merged.parent))
    try:
        work.chmod(0o755)
        for source in sources:
            _lay_over(source, work)
        try:
            work.rename(merged)
        except OSError:
            if not merged.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _lay_over(source: Path, target: Path) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            place = target / entry.name
            folder = entry.is_dir(follow_symlinks=False)
            if place.is_symlink() or (place.exists() and not (folder and place.is_dir())):
                _remove(place)
            if folder:
                place.mkdir(exist_ok=True)
                _lay_over(Path(entry.path), place)
            else:
                os.link(entry.path, place, follow_symlinks=False)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink()
