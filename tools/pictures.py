"""Pictures of pages, kept small enough for a repository."""

from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from .demo.voice import say
from .paths import CHECKOUT

PICTURES: Final = CHECKOUT / "docs" / "pictures"
# Pictures of interfaces have few colours; the palette makes them a third of the size.
COLOURS: Final = 256


def keep(content: bytes, file: Path, scale: float = 1) -> None:
    """Write a picture, so much smaller."""
    file.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(BytesIO(content)).convert("RGB")
    size = (round(image.width * scale), round(image.height * scale))
    small = image if scale == 1 else image.resize(size, Image.Resampling.LANCZOS)
    small.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    say(f"  {file.name}: {file.stat().st_size // 1000} kB")
