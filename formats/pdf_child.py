"""Run by ``pdf_text`` as a program of its own: a PDF comes in, its text goes out.

It imports nothing of this room. Whatever a hostile file makes the reader do ends here, with the
process: memory and time are bounded before the first byte is looked at.
"""

import io
import sys

MEMORY = 1024 * 1024 * 1024  # bytes of address space, most of it the interpreter's own
CPU_SECONDS = 15
PAGES = 10
CHARACTERS = 100_000


def _bound() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such bounds; the caller's time limit holds there
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # It writes to its pipe and to no file.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> int:
    content = sys.stdin.buffer.read()
    _bound()
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content))
    parts: list[str] = []
    size = 0
    for number, page in enumerate(reader.pages):
        if number == PAGES or size >= CHARACTERS:
            break
        text = page.extract_text() or ""
        parts.append(text)
        size += len(text)
    sys.stdout.buffer.write("\n".join(parts)[:CHARACTERS].encode("utf-8", "replace"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
