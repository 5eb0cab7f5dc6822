"""A track's cover as a small JPEG: ``-m player.library.artwork ROOT PATH`` writes it to standard output.

A process of its own, short of memory and time: the picture of a stranger's file may be anything.
"""

from __future__ import annotations

import io
import os
import resource
import sys

from player.library.music_folder import OutsideFolderError, open_under
from player.reading.av_reader import attached_picture
from player.reading.sound_reader import UnreadableAudioError

SIDE = 384
QUALITY = 82
MAX_PIXELS = 40_000_000
MAX_MEMORY_BYTES = 1 << 30
MAX_SECONDS = 5
NO_PICTURE = 3
"""Exit status where the file carries no picture that can be shown."""


def small_jpeg(data: bytes) -> bytes | None:
    """The picture re-made, square and small, without anything that came along in it; None if it is none."""
    # imported here: only the child process decodes pictures
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "GIF", "BMP", "WEBP")) as picture:
            square = ImageOps.fit(picture.convert("RGB"), (SIDE, SIDE))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
    out = io.BytesIO()
    square.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def main() -> int:
    """Write the cover of the file given by root and path."""
    os.nice(15)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    try:
        with open_under(sys.argv[1], sys.argv[2]) as file:
            data = attached_picture(file)
    except (UnreadableAudioError, OutsideFolderError, OSError):
        return NO_PICTURE
    picture = small_jpeg(data) if data else None
    if picture is None:
        return NO_PICTURE
    sys.stdout.buffer.write(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
