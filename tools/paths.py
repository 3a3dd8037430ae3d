"""Where things are in this checkout."""

from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parent.parent
CUSTOM_COMPONENTS: Final = CHECKOUT / "custom_components"
DEMO: Final = CHECKOUT / ".demo"
PROJECT_FILE: Final = CHECKOUT / "pyproject.toml"
