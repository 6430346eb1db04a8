"""Deployment packages: zip files unpacked once, named by their content, never changed afterwards.

Not here: which function uses a package (definition), reading the code (worker), size limits of the upload itself (control).
Everything blocks on the disk: callers on an event loop use a thread.

AWS: "Lambda quotas" (250 MB unzipped), `CodeSha256` is the base64 SHA-256 of the zip as uploaded.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import lzma
import os
import shutil
import stat
import struct
import tempfile
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MAX_UNZIPPED = 262_144_000
MAX_ENTRIES = 200_000
"""Ours: a zip of a few MB can otherwise name millions of empty files and use up the file system's inodes."""
_CHUNK = 256 * 1024
_STALE_AFTER = 3600.0
_TEMPORARY = ".adding-"
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    struct.error,
    # zipfile raises these four for encrypted entries, unknown compression methods and damaged fields
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
)
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class PackageError(Exception):
    """A package is refused; `code` and `message` as the Lambda API gives them."""

    def __init__(self, message: str, *, code: str = "InvalidParameterValueException") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Package:
    code_sha256: str
    """Base64, as in `CodeSha256`."""
    code_size: int
    """Bytes of the zip."""


class PackageStore:
    """`<root>/<sha256 in hex>/{package.zip,code/}`; a directory appears there whole, by one rename, or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()  # functions run in a directory of their own
        root.mkdir(parents=True, exist_ok=True)
        self._remove_stale()

    def path(self, code_sha256: str) -> Path:
        """The unpacked tree (which exists only if the package was added)."""
        return self._home(code_sha256) / "code"

    def zip_path(self, code_sha256: str) -> Path:
        """The zip as it was uploaded."""
        return self._home(code_sha256) / "package.zip"

    def __contains__(self, code_sha256: str) -> bool:
        return self.path(code_sha256).is_dir()

    def add(self, zip_bytes: bytes) -> Package:
        """Unpack and keep. Adding the same bytes again costs a hash. Raises PackageError."""
        digest = hashlib.sha256(zip_bytes).digest()
        package = Package(base64.b64encode(digest).decode("ascii"), len(zip_bytes))
        if package.code_sha256 in self:
            return package
        try:
            self._unpack(zip_bytes, self._root / digest.hex())
        except OSError as error:
            if error.errno in _DISK_FULL:
                raise PackageError("No space left to store the deployment package.", code="ServiceException") from error
            raise _corrupt() from error
        return package

    def _home(self, code_sha256: str) -> Path:
        digest = base64.b64decode(code_sha256, validate=True)
        if len(digest) != hashlib.sha256().digest_size:
            raise ValueError(f"not a SHA-256: {code_sha256}")
        return self._root / digest.hex()

    def _unpack(self, zip_bytes: bytes, home: Path) -> None:
        work = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=self._root))
        try:
            (work / "package.zip").write_bytes(zip_bytes)
            (work / "code").mkdir()
            _extract(zip_bytes, work / "code")
            work.chmod(0o755)
            _move(work, home)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _remove_stale(self) -> None:
        """What a process left that was killed while it unpacked; young ones may belong to a process that is at work."""
        for work in self._root.glob(_TEMPORARY + "*"):
            if time.time() - work.lstat().st_mtime > _STALE_AFTER:
                shutil.rmtree(work, ignore_errors=True)


def _move(work: Path, home: Path) -> None:
    try:
        work.rename(home)
    except OSError:
        if not home.is_dir():  # otherwise somebody else has added the same bytes in the meantime
            raise


def _corrupt() -> PackageError:
    return PackageError("Could not unzip uploaded file. Please check your file, then try to upload again.")


def _extract(zip_bytes: bytes, root: Path) -> None:
    """Write the tree. Links come last, so that no file can be written through one; then each is followed to its end."""
    try:
        with zipfile.ZipFile(io.BytesIO(zip_bytes)) as archive:
            entries = archive.infolist()
            _check_sizes(entries)
            links = [(_target(root, entry), archive.read(entry)) for entry in entries if _is_link(entry)]
            for entry in entries:
                if not _is_link(entry):
                    _write(archive, entry, _target(root, entry))
        for place, text in links:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(os.fsdecode(text))
    except _UNREADABLE as error:
        raise _corrupt() from error
    inside = os.path.realpath(root) + os.sep
    if not all((os.path.realpath(place) + os.sep).startswith(inside) for place, _ in links):
        raise _corrupt()


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    """zipfile never yields more bytes than an entry declares, so the declared sizes are a safe bound."""
    if not entries:
        raise PackageError("Uploaded file must be a non-empty zip")
    if sum(entry.file_size for entry in entries) >= MAX_UNZIPPED:
        raise PackageError(f"Unzipped size must be smaller than {MAX_UNZIPPED} bytes")
    if len(entries) > MAX_ENTRIES:
        raise PackageError(f"A deployment package may hold at most {MAX_ENTRIES} files")


def _target(root: Path, entry: zipfile.ZipInfo) -> Path:
    name = PurePosixPath(entry.filename)
    if name.is_absolute() or ".." in name.parts or not name.parts:
        raise _corrupt()
    return root / name


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path) -> None:
    if entry.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, place.open("wb") as target:
        shutil.copyfileobj(source, target, _CHUNK)
    # The owner's and others' executable bits are kept; set-uid and the like are not.
    place.chmod(0o644 | ((entry.external_attr >> 16) & 0o111))
