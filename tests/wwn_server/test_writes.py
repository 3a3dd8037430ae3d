from typing import Any

import pytest

from .conftest import Running
from .hub import Hub, refusal
from .person import Person

LIVING_ROOM, BEDROOM = "Living Room", "Bedroom"


def thermostat_path(server: Running, room: str = LIVING_ROOM) -> str:
    group = server.home.document.group("thermostats")
    return next(f"/devices/thermostats/{key}" for key, each in group.items() if each["where_name"] == room)


def structure_path(server: Running) -> str:
    (structure_id,) = server.home.document.group("structures")
    return f"/structures/{structure_id}"


async def test_writing_a_field_of_an_object_echoes_and_merges(server: Running, linked: Hub) -> None:
    path = thermostat_path(server)
    before = await linked.read(path)
    answer = await linked.put(path, {"target_temperature_low_c": 18.5})
    assert (answer.status, await answer.json()) == (200, {"target_temperature_low_c": 18.5})
    after = await linked.read(path)
    assert {name for name in after if after[name] != before[name]} <= {
        "target_temperature_low_c",
        "target_temperature_low_f",
        "hvac_state",
        "has_leaf",
        "time_to_target",
    }
    assert (after["target_temperature_low_c"], after["target_temperature_low_f"]) == (18.5, 65)


async def test_writing_a_leaf_takes_and_echoes_the_bare_value(server: Running, linked: Hub) -> None:
    path = thermostat_path(server, BEDROOM)
    answer = await linked.put(f"{path}/target_temperature_f", 72)
    assert (answer.status, await answer.json()) == (200, 72)
    assert await linked.read(f"{path}/target_temperature_c") == 22.0


async def test_both_bounds_move_together(server: Running, linked: Hub) -> None:
    path = thermostat_path(server)
    body = {"target_temperature_low_f": 60, "target_temperature_high_f": 64}
    assert (await linked.put(path, body)).status == 200
    after = await linked.read(path)
    assert (after["target_temperature_low_c"], after["target_temperature_high_c"]) == (15.5, 18.0)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    "content_type", [None, "application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"]
)
async def test_a_body_is_json_whatever_it_calls_itself(
    server: Running, linked: Hub, method: str, content_type: str | None
) -> None:
    headers = linked.bearer | ({"Content-Type": content_type} if content_type else {})
    url = f"{linked.base}{structure_path(server)}/away"
    answer = await linked.session.request(method, url, data=b'"away"', headers=headers)
    assert (answer.status, await answer.json()) == (200, "away")


@pytest.mark.parametrize("suffix", ["", "/", ".json"])
async def test_a_write_may_end_its_path_like_a_read(server: Running, linked: Hub, suffix: str) -> None:
    assert (await linked.put(structure_path(server) + suffix, {"away": "away"})).status == 200


async def test_leaving_puts_thermostats_into_eco_and_coming_home_brings_them_back(server: Running, linked: Hub) -> None:
    await linked.put(f"{thermostat_path(server, BEDROOM)}/hvac_mode", "off")
    await linked.put(structure_path(server), {"away": "away"})
    away = await linked.read(thermostat_path(server))
    assert (away["hvac_mode"], away["previous_hvac_mode"]) == ("eco", "heat-cool")
    assert await linked.read(f"{thermostat_path(server, BEDROOM)}/hvac_mode") == "off"
    await linked.put(structure_path(server), {"away": "home"})
    home = await linked.read(thermostat_path(server))
    assert (home["hvac_mode"], home["previous_hvac_mode"]) == ("heat-cool", "")


async def test_eco_that_was_written_is_not_ended_by_coming_home(server: Running, linked: Hub) -> None:
    path = thermostat_path(server, BEDROOM)
    await linked.put(f"{path}/hvac_mode", "eco")
    await linked.put(structure_path(server), {"away": "away"})
    await linked.put(structure_path(server), {"away": "home"})
    assert await linked.read(f"{path}/hvac_mode") == "eco"
    await linked.put(f"{path}/hvac_mode", "heat")
    assert await linked.read(f"{path}/previous_hvac_mode") == ""


async def test_eco_written_while_away_had_put_it_there_stays(server: Running, linked: Hub) -> None:
    path = thermostat_path(server, BEDROOM)
    await linked.put(structure_path(server), {"away": "away"})
    await linked.put(f"{path}/hvac_mode", "eco")
    await linked.put(structure_path(server), {"away": "home"})
    after = await linked.read(path)
    assert (after["hvac_mode"], after["previous_hvac_mode"]) == ("eco", "heat")


async def test_a_mode_written_while_away_is_kept(server: Running, linked: Hub) -> None:
    path = f"{thermostat_path(server, BEDROOM)}/hvac_mode"
    await linked.put(structure_path(server), {"away": "away"})
    await linked.put(path, "heat")
    assert await linked.read(path) == "heat"
    await linked.put(structure_path(server), {"away": "home"})
    assert await linked.read(path) == "heat"


async def test_what_is_not_json_is_refused(server: Running, linked: Hub) -> None:
    url = linked.base + structure_path(server)
    for body in (b"", b"{", b"NaN", b'{"away": NaN}', b"\xff", b"{'away': 'home'}", b"[" * 5000, b"1" * 5000):
        answer = await linked.session.put(url, headers=linked.bearer, data=body)
        assert await refusal(answer) == (400, "invalid-content-sent"), body


async def test_an_object_path_takes_an_object_with_fields(server: Running, linked: Hub) -> None:
    values: tuple[Any, ...] = ({}, [], None, "away", 5, True, [{"away": "away"}])
    for value in values:
        answer = await linked.put(structure_path(server), value)
        assert await refusal(answer) == (400, "invalid-content-sent"), value


async def test_a_leaf_path_takes_a_value_of_its_type(server: Running, linked: Hub) -> None:
    for value in ({"away": "home"}, ["home"], None, 5, True):
        answer = await linked.put(f"{structure_path(server)}/away", value)
        assert await refusal(answer) == (400, "invalid-content-sent"), value


async def test_a_temperature_is_a_number(server: Running, linked: Hub) -> None:
    for value in ("21", True, None, [21], {"c": 21}):
        answer = await linked.put(thermostat_path(server, BEDROOM), {"target_temperature_c": value})
        assert await refusal(answer) == (400, "invalid-content-sent"), value


async def test_a_body_beyond_64_kilobytes_is_refused(server: Running, linked: Hub) -> None:
    body = b'{"away":"home"}' + b" " * 65536
    answer = await linked.session.put(linked.base + structure_path(server), headers=linked.bearer, data=body)
    assert await refusal(answer) == (413, "request-too-large")


async def test_only_one_thing_is_written_at_a_time(linked: Hub) -> None:
    for path in ("/", "/devices", "/devices/thermostats", "/devices/smoke_co_alarms", "/structures"):
        assert await refusal(await linked.put(path, {"away": "home"})) == (400, "not-writable"), path


async def test_what_is_not_there_can_not_be_written(linked: Hub) -> None:
    for path in ("/metadata", "/nothing", "/devices/cameras/x", "/structures/x", "/thermostats/x"):
        assert await refusal(await linked.put(path, {"away": "home"})) == (404, "not-found"), path


async def test_nothing_below_a_field_is_written(server: Running, linked: Hub) -> None:
    answer = await linked.put(f"{structure_path(server)}/wheres/x/name", "Attic")
    assert await refusal(answer) == (400, "not-writable")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"ambient_temperature_c": 20}, "ambient_temperature_c"),
        ({"hvac_mode": "heat", "name": "x", "eco_temperature_low_c": 10}, "eco_temperature_low_c, name"),
    ],
)
async def test_fields_that_can_only_be_read_are_named(
    server: Running, linked: Hub, body: dict[str, Any], fields: str
) -> None:
    answer = await linked.put(thermostat_path(server), body)
    assert await refusal(answer) == (400, "no-write-permission")
    said = await answer.json()
    assert said["message"] == f"No write permission(s) for field(s): {fields}"
    assert said["details"] == {"fields": fields}


async def test_an_unknown_field_is_named(server: Running, linked: Hub) -> None:
    answer = await linked.put(thermostat_path(server), {"colour": "red"})
    assert await refusal(answer) == (400, "unknown-field")
    assert (await answer.json())["details"] == {"field_name": "colour"}
    assert (await linked.put(f"{thermostat_path(server)}/colour", "red")).status == 400


async def test_no_alarm_can_be_written(server: Running, linked: Hub) -> None:
    device_id = next(iter(server.home.document.group("smoke_co_alarms")))
    answer = await linked.put(f"/devices/smoke_co_alarms/{device_id}", {"smoke_alarm_state": "ok"})
    assert await refusal(answer) == (400, "no-write-permission")


@pytest.mark.parametrize(
    ("permission", "leaf", "value"),
    [
        ("away read", "away", "away"),
        ("thermostat read/write", "away", "away"),
        ("structure read/write", "away", "away"),
    ],
)
async def test_reading_a_structure_is_not_writing_it(
    server: Running, hub: Hub, person: Person, permission: str, leaf: str, value: str
) -> None:
    await hub.link(person, permission)
    assert await refusal(await hub.put(f"{structure_path(server)}/{leaf}", value)) == (400, "no-write-permission")


async def test_reading_a_thermostat_is_not_writing_it(server: Running, hub: Hub, person: Person) -> None:
    await hub.link(person, "thermostat read")
    answer = await hub.put(thermostat_path(server), {"hvac_mode": "heat"})
    assert await refusal(answer) == (400, "no-write-permission")


async def test_a_thermostat_that_is_not_shown_is_not_found(server: Running, hub: Hub, person: Person) -> None:
    await hub.link(person, "away read/write")
    assert await refusal(await hub.put(thermostat_path(server), {"hvac_mode": "heat"})) == (404, "not-found")


async def test_a_refused_write_has_no_partial_effect(server: Running, linked: Hub) -> None:
    before = server.home.document
    for body in (
        {"hvac_mode": "heat", "target_temperature_low_c": 40},
        {"hvac_mode": "heat", "target_temperature_low_c": 18, "name": "x"},
        {"target_temperature_low_c": 18, "hvac_mode": "boil"},
    ):
        assert (await linked.put(thermostat_path(server), body)).status == 400
    assert server.home.document is before


async def test_the_rules_are_asked(server: Running, linked: Hub) -> None:
    answer = await linked.put(thermostat_path(server, BEDROOM), {"target_temperature_f": 91})
    assert await refusal(answer) == (400, "high-f-value")
    assert (await answer.json())["message"] == "Temperature F value is too high: 91"


async def test_a_token_revoked_while_a_body_is_on_its_way_writes_nothing(server: Running, linked: Hub) -> None:
    async def slowly() -> Any:
        yield b'{"away":'
        await linked.revoke()
        yield b'"away"}'

    answer = await linked.session.put(linked.base + structure_path(server), headers=linked.bearer, data=slowly())
    assert await refusal(answer) == (401, "auth-error")
    (structure,) = server.home.document.group("structures").values()
    assert structure["away"] == "home"
