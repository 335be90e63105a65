"""A ZIP that proves what is in it: every file counted and hashed, the list signed.

Files are streamed: no more than one piece of one file is in memory. The same content gives the
same bytes: entries carry no date of their own, JSON is written with sorted keys.
"""

import contextlib
import csv
import hashlib
import io
import json
import re
import tempfile
import zipfile

FORMAT = "bank-connect-evidence/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig.json"
CHUNK = 1 << 20
# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


class EvidenceZip:
    """Writes the files one after the other; :meth:`finish` adds the signed list."""

    def __init__(self, stream):
        """:param stream: a seekable binary file to write to"""
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)
        self._files = {}

    @contextlib.contextmanager
    def open(self, path):
        """A binary file to write to, at ``path`` in the ZIP."""
        if path in self._files or path in (MANIFEST, SIGNATURE):
            raise ValueError(f"{path} is in the pack already")
        with self._entry(path) as target:
            file = _Hashed(target)
            yield file
        self._files[path] = {"path": path, "size": file.size, "sha256": file.digest.hexdigest()}

    def add(self, path, content):
        """:param bytes content: the whole file"""
        with self.open(path) as file:
            file.write(content)

    def add_json(self, path, value):
        self.add(path, _json(value, indent=1) + b"\n")

    def add_table(self, path, columns, rows):
        """The same rows twice: ``path.json`` with all they hold, ``path.csv`` with ``columns``.

        :param rows: iterable of dicts of plain values; read once
        """
        with tempfile.TemporaryFile() as spool:
            text = io.TextIOWrapper(spool, "utf-8", newline="", write_through=True)
            sheet = csv.writer(text)
            sheet.writerow(columns)
            with self.open(f"{path}.json") as file:
                separator = b"[\n"
                for row in rows:
                    file.write(separator + _json(row))
                    separator = b",\n"
                    sheet.writerow([_cell(row.get(column)) for column in columns])
                file.write(b"\n]\n" if separator == b",\n" else b"[]\n")
            text.flush()
            spool.seek(0)
            with self.open(f"{path}.csv") as file:
                file.write(b"\xef\xbb\xbf")  # so that a spreadsheet knows it is UTF-8
                for chunk in iter(lambda: spool.read(CHUNK), b""):
                    file.write(chunk)
            text.detach()

    def finish(self, head, sign):
        """Add list and signature, and close.

        :param dict head: what the list says beside the files
        :param sign: maps the list's bytes to the dict that is written beside it
        """
        files = [self._files[path] for path in sorted(self._files)]
        manifest = _json({"format": FORMAT, **head, "files": files}, indent=1) + b"\n"
        for path, content in ((MANIFEST, manifest), (SIGNATURE, _json(sign(manifest), indent=1))):
            with self._entry(path) as target:
                target.write(content)
        self._zip.close()

    @property
    def file_count(self):
        return len(self._files)

    def _entry(self, path):
        info = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system, info.external_attr = 3, 0o644 << 16
        return self._zip.open(info, "w", force_zip64=True)


class _Hashed:
    def __init__(self, target):
        self._target = target
        self.digest, self.size = hashlib.sha256(), 0

    def write(self, content):  # pylint: disable=method-required-super
        self._target.write(content)
        self.digest.update(content)
        self.size += len(content)


def safe_name(name):
    """A file's name that no system takes for something else."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name or "").strip("._")[-80:] or "file"


def _json(value, indent=None):
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=indent).encode()


def _cell(value):
    if value is None or value is False:
        return ""
    if isinstance(value, dict):
        return _cell(value.get("name"))
    if isinstance(value, list):
        return _cell(" ".join(str(item) for item in value))
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) and not NUMBER.fullmatch(text) else text
