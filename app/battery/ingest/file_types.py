"""File types: the format of a file by its first bytes and its name, before any of it is decoded."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from app.battery.checks.fields import shown
from app.battery.ingest.errors import IngestError
from app.battery.ingest.limits import Limits

PARQUET, CSV, CYCLER = "PARQUET", "CSV", "CYCLER"
FORMATS = (PARQUET, CSV, CYCLER)
PARQUET_MAGIC = b"PAR1"
ZIP_MAGIC, OLE_MAGIC, GZIP_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b"
ACCESS_MAGICS = (b"Standard Jet DB", b"Standard ACE DB")
"""Names in the first bytes of a Microsoft Access database, which an Arbin `.res` file is."""
SUFFIX = re.compile(r"(?:\.bdf)?\.[A-Za-z0-9]{1,8}")
MAX_NAME = 255
CHUNK = 1 << 20
ACCESS = "Arbin .res files are not read: their reader starts another program. Export the test as CSV or Excel."


def safe_suffix(filename: str | None) -> str:
    """Return the suffix of a file name, if there is one. Raises IngestError for a name with a path or control
    characters."""
    if filename is None:
        return ""
    if not 0 < len(filename) <= MAX_NAME or "/" in filename or "\\" in filename or not filename.isprintable():
        raise IngestError(
            f"The file name {shown(filename)} must have 1 to {MAX_NAME} characters, no path and no control characters."
        )
    found = re.search(rf"{SUFFIX.pattern}$", filename)
    return found.group().lower() if found else ""


def format_of(path: Path, wanted: str | None, suffix: str) -> str:
    """Return the format of a file: the wanted one if the bytes allow it. Raises IngestError."""
    if wanted is not None and wanted not in FORMATS:
        raise IngestError(f"`format` must be {', '.join(FORMATS)} or left out, not {shown(wanted)}.")
    head = path.read_bytes()[:64] if path.stat().st_size < CHUNK else _head(path)
    if not head:
        raise IngestError("The file is empty.")
    if suffix == ".res" or any(magic in head for magic in ACCESS_MAGICS):
        raise IngestError(ACCESS)
    is_parquet = head.startswith(PARQUET_MAGIC)
    if wanted == PARQUET and not is_parquet:
        raise IngestError(f"The file is no Parquet: it begins with {head[:4]!r}, not {PARQUET_MAGIC!r}.")
    if wanted == CSV and (is_parquet or head.startswith((ZIP_MAGIC, OLE_MAGIC, GZIP_MAGIC))):
        raise IngestError(f"The file is no CSV: it begins with {head[:4]!r}, as a binary format does.")
    if wanted is not None:
        return wanted
    return PARQUET if is_parquet and suffix != ".bdf.parquet" else CYCLER


def require_expandable(path: Path, limits: Limits) -> None:
    """Refuse a compressed file (Excel, gzip) that would expand beyond the limit. Expands nothing into memory."""
    with path.open("rb") as file:
        head = file.read(4)
    if head == ZIP_MAGIC:
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise IngestError(f"The Excel file is truncated or damaged: {error}.") from None
    elif head[:2] == GZIP_MAGIC:
        size = _gunzipped(path, limits.decoded_bytes)
    else:
        return
    if size > limits.decoded_bytes:
        raise IngestError(
            f"The compressed file expands to more than {limits.decoded_bytes:,} bytes, the limit of decoded data."
        )


def _gunzipped(path: Path, most: int) -> int:
    """Return the expanded size of a gzip file, or a size just above `most` if it is larger."""
    size, expand = 0, zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as file:
            while (block := file.read(CHUNK)) and size <= most:
                while block and size <= most:
                    size += len(expand.decompress(block, CHUNK))
                    block = expand.unconsumed_tail
    except zlib.error as error:
        raise IngestError(f"The gzip file is damaged after {size:,} bytes: {error}.") from None
    if size <= most and not expand.eof:
        raise IngestError(f"The gzip file is truncated: it ends after {size:,} bytes.")
    return size


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)
