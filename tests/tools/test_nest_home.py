"""The person at the Nest home, against a real server."""

from pathlib import Path
from typing import Any

import pytest

from tools.errors import ToolError
from tools.nest_home import NestHomeServer, NestPerson

ALARMS, THERMOSTATS = "smoke_co_alarms", "thermostats"


async def test_a_person_makes_everything_happen_in_the_home(tmp_path: Path, socket_enabled: None) -> None:
    server = NestHomeServer(tmp_path / "nest", tmp_path / "nest.log", "--speed", "0")
    await server.add_account("anna", "correct horse battery")
    await server.start()
    try:
        async with NestPerson(server.base, "anna", "correct horse battery") as person:
            await person.sign_in()

            async def device(group: str) -> dict[str, Any]:
                return dict(next(iter((await person.document())["devices"][group].values())))

            alarm, thermostat = (await device(ALARMS))["device_id"], (await device(THERMOSTATS))["device_id"]
            await person.set_alarm(alarm, carbon_monoxide="warning", is_manual_test_active=True)
            told = await device(ALARMS)
            assert (told["co_alarm_state"], told["is_manual_test_active"]) == ("warning", True)
            await person.set_thermostat(thermostat, is_locked=True, sunlight="on", is_using_emergency_heat=True)
            told = await device(THERMOSTATS)
            assert (told["is_locked"], told["sunlight_correction_enabled"]) == (True, True)
            assert told["is_using_emergency_heat"] is True
            await person.set_surroundings(outside_celsius=-5.5, rush_hour=True)
            (structure,) = (await person.document())["structures"].values()
            assert structure["rhr_enrollment"] is True
            await person.remove_device(alarm)
            assert alarm not in (await person.document())["devices"][ALARMS]
            await person.add_device(ALARMS, "Office")
            assert len((await person.document())["devices"][ALARMS]) == 3
            with pytest.raises(ToolError, match="no such device"):
                await person.remove_device(alarm)
            with pytest.raises(ToolError, match="400"):
                await person.set_surroundings(outside_celsius=1000)
    finally:
        await server.stop()
