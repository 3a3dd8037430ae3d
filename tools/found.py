"""Linking a server that announces itself, in a real browser and a network of its own (``tools.alone``).

Prints as its last line, as JSON, what the person did and what came of it.
"""

import argparse
import asyncio
from dataclasses import asdict
import json
from pathlib import Path
import sys
import tempfile
from typing import Any, Final

from .browser import chromium
from .camera import COUNTRY, Photographer
from .demo.servers import started
from .demo.state import USERNAME, StateFolder, held
from .errors import ToolError
from .frontend import SHARP, Frontend
from .home_assistant.folder import CONFIGURATION
from .linking import DOMAIN
from .ports import free_port
from .walks import Camera, Walker, link_found, no_camera

# Every other sight of it is one of the other ways too.
ONLY_HERE: Final = ("found",)


async def walk(state: StateFolder, camera: Camera) -> dict[str, Any]:
    """Walk the way with servers that find each other, and return what was done, and what is linked after it."""
    state.keep(nest_port=free_port(), home_assistant_port=free_port())
    state.home_assistant.mkdir(parents=True)
    (state.home_assistant / "configuration.yaml").write_text(f"{CONFIGURATION}zeroconf:\n")
    async with (
        started(state, nest_options=("--announce",)) as servers,
        servers.signed_in() as api,
        chromium() as browser,
    ):
        await api.set_country(COUNTRY)
        walker = Walker(
            frontend=await Frontend.open(browser, api, scale=1 if camera is no_camera else SHARP),
            nest=servers.nest.base,
            name=USERNAME,
            password=state.kept.nest_password,
            camera=camera,
        )
        await link_found(walker)
        async with api.socket() as socket:
            entities = len(await socket.entities(DOMAIN))
        return {
            "linking": asdict(walker.linking),
            "signing_in": asdict(walker.signing_in),
            "entities": entities,
            "links": [entry["title"] for entry in await api.entries(DOMAIN)],
        }


async def walk_in(folder: Path, camera: Camera) -> dict[str, Any]:
    """Walk with all state in a folder."""
    async with held(folder) as state:
        return await walk(state, camera)


def main() -> None:
    """Walk; with a camera, if there is a place for pictures."""
    parser = argparse.ArgumentParser(prog="python -m tools.found", description=__doc__)
    parser.add_argument("--pictures", type=Path, help="folder for the pictures of what only this way shows")
    pictures = parser.parse_args().pictures
    camera = Photographer(pictures, ONLY_HERE).take if pictures else no_camera
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = asyncio.run(walk_in(Path(folder), camera))
    except ToolError as err:
        sys.exit(f"python -m tools.found: {err}")
    print(json.dumps(done))


if __name__ == "__main__":
    main()
