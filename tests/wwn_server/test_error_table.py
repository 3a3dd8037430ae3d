"""Every row of the error tables (protocol 7.2, 7.3) that a request can bring about, by value.

Rules of writes have their own table in ``test_write_rules``, limits theirs in ``test_limits``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import re
from typing import Any

import pytest

from wwn_server.homes.base import Write
from wwn_server.homes.simulated import SimulatedHome

from .conftest import Running
from .hub import Hub
from .test_writes import structure_path, thermostat_path

DOCUMENTATION = "https://developer.nest.com/documentation/cloud/error-messages"
UNAUTHORIZED = "The token is missing, unknown or revoked."
NOTHING_THERE = "There is nothing at this address for this token."
SEVERAL = "Not writable: write to one thermostat or one structure at a time, at the path of that one."


@dataclass(frozen=True, kw_only=True)
class Row:
    """A request and its refusal; ``{thermostat}`` and so on stand for paths of the home."""

    request: str
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    status: int
    anchor: str
    message: str
    details: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.anchor}: {self.request} {(self.body or b'').decode(errors='replace')[:30]}"


def invalid(request: str, body: bytes) -> Row:
    return Row(request=request, body=body, status=400, anchor="invalid-content-sent", message="Invalid content sent")


def no_permission(request: str, body: bytes, fields: str) -> Row:
    return Row(
        request=request,
        body=body,
        status=400,
        anchor="no-write-permission",
        message=f"No write permission(s) for field(s): {fields}",
        details={"fields": fields},
    )


def unauthorized(request: str, **headers: str) -> Row:
    return Row(request=request, headers=headers, status=401, anchor="auth-error", message=UNAUTHORIZED)


def not_found(request: str, body: bytes | None = None) -> Row:
    return Row(request=request, body=body, status=404, anchor="not-found", message=NOTHING_THERE)


def several(request: str, body: bytes) -> Row:
    return Row(request=request, body=body, status=400, anchor="not-writable", message=SEVERAL)


ROWS = (
    unauthorized("GET /"),
    unauthorized("GET /", Authorization="Bearer c.unknown"),
    unauthorized("GET /", Authorization="Basic c.unknown"),
    unauthorized("GET /?auth=c.unknown"),
    unauthorized("PUT {structure}"),
    unauthorized("GET /", Accept="text/event-stream"),
    not_found("GET /nothing"),
    not_found("GET /devices/thermostats/unknown"),
    not_found("GET /devices/cameras"),
    not_found("GET {structure}/eta"),
    not_found("GET {structure}/eta_begin"),
    not_found("HEAD /structures/unknown"),
    not_found("PUT /devices/thermostats/unknown", b'{"hvac_mode":"off"}'),
    not_found("PUT /structures/unknown/away", b'"home"'),
    not_found("PUT /devices/cameras/x", b'{"is_streaming":true}'),
    not_found("PUT /metadata", b"{}"),
    Row(
        request="POST /devices",
        body=b"{}",
        status=405,
        anchor="method-not-allowed",
        message="POST is not possible here.",
    ),
    Row(
        request="PUT {structure}",
        body=b" " * 65537,
        status=413,
        anchor="request-too-large",
        message="The request is too large.",
    ),
    *(
        invalid("PUT {structure}", body)
        for body in (b"", b"{", b"null", b"[]", b"{}", b"5", b'"away"', b'[{"away":"away"}]', b'{"away":NaN}', b"\xff")
    ),
    *(invalid("PUT {structure}/away", body) for body in (b"", b"{}", b'{"away":"away"}', b"[]", b"null", b"true")),
    *(invalid("PATCH {structure}/eta", body) for body in (b'"soon"', b"[]", b"0", b"null", b"")),
    invalid("PUT {thermostat}/fan_timer_active", b'"on"'),
    *(
        several(f"PUT {path}", b'{"away":"home"}')
        for path in ("/", "/devices", "/devices/thermostats", "/devices/smoke_co_alarms", "/structures")
    ),
    several("PATCH /devices/thermostats.json", b'{"x":{"hvac_mode":"off"}}'),
    Row(
        request="PUT {structure}/wheres/x/name",
        body=b'"Attic"',
        status=400,
        anchor="not-writable",
        message="Not writable",
    ),
    *(
        no_permission("PUT {thermostat}", b'{"%b":1}' % name.encode(), name)
        for name in (
            "device_id",
            "locale",
            "software_version",
            "structure_id",
            "name",
            "name_long",
            "where_id",
            "where_name",
            "last_connection",
            "is_online",
            "can_cool",
            "can_heat",
            "is_using_emergency_heat",
            "has_fan",
            "fan_timer_timeout",
            "has_leaf",
            "eco_temperature_high_c",
            "eco_temperature_low_f",
            "away_temperature_high_f",
            "away_temperature_low_c",
            "previous_hvac_mode",
            "hvac_state",
            "ambient_temperature_f",
            "humidity",
            "is_locked",
            "locked_temp_min_c",
            "locked_temp_max_f",
            "sunlight_correction_enabled",
            "sunlight_correction_active",
            "time_to_target",
            "time_to_target_training",
        )
    ),
    *(
        no_permission("PUT {structure}", b'{"%b":1}' % name.encode(), name)
        for name in (
            "structure_id",
            "country_code",
            "postal_code",
            "time_zone",
            "thermostats",
            "smoke_co_alarms",
            "eta_begin",
            "peak_period_start_time",
            "peak_period_end_time",
            "rhr_enrollment",
            "co_alarm_state",
            "smoke_alarm_state",
            "wheres",
        )
    ),
    *(
        no_permission("PUT {alarm}", b'{"%b":1}' % name.encode(), name)
        for name in (
            "battery_health",
            "co_alarm_state",
            "smoke_alarm_state",
            "is_manual_test_active",
            "last_manual_test_time",
            "ui_color_state",
            "name",
        )
    ),
    no_permission("PUT {thermostat}/humidity", b"40", "humidity"),
    no_permission("PUT {thermostat}", b'{"name":"x","hvac_mode":"off","humidity":5}', "humidity, name"),
    Row(
        request="PUT {thermostat}",
        body=b'{"hvac_mode":"off","colour":"red"}',
        status=400,
        anchor="unknown-field",
        message="There is no field colour here.",
        details={"field_name": "colour"},
    ),
    Row(
        request="PUT {structure}/colour",
        body=b'"red"',
        status=400,
        anchor="unknown-field",
        message="There is no field colour here.",
        details={"field_name": "colour"},
    ),
)


def places(server: Running) -> dict[str, str]:
    alarm = next(iter(server.home.document.group("smoke_co_alarms")))
    return {
        "thermostat": thermostat_path(server),
        "structure": structure_path(server),
        "alarm": f"/devices/smoke_co_alarms/{alarm}",
    }


async def said_by(answer: Any, row: Row) -> None:
    """Hold an answer to its row: status, shape, anchor, message, details, and an instance of its own."""
    assert answer.status == row.status
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    if answer.method == "HEAD":
        return
    body = await answer.json()
    instance = body.pop("instance")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", instance)
    assert body == {
        "error": row.message,
        "message": row.message,
        "type": f"{DOCUMENTATION}#{row.anchor}",
    } | ({"details": row.details} if row.details else {})


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_a_request_that_is_refused_says_why_and_changes_nothing(server: Running, linked: Hub, row: Row) -> None:
    before = server.home.document
    method, _, path = row.request.format_map(places(server)).partition(" ")
    headers = linked.bearer if row.headers is None else row.headers
    answer = await linked.session.request(method, linked.base + path, data=row.body, headers=headers)
    await said_by(answer, row)
    assert server.home.document is before


async def test_every_refusal_has_an_instance_of_its_own(linked: Hub) -> None:
    instances = {(await (await linked.get("/nothing")).json())["instance"] for _ in range(5)}
    assert len(instances) == 5


async def test_a_mistake_of_the_server_is_told_without_its_reason(
    server: Running, linked: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: SimulatedHome, write: Write) -> None:
        raise RuntimeError(write.id)

    monkeypatch.setattr(SimulatedHome, "write", broken)
    answer = await linked.put(structure_path(server), {"away": "away"})
    message = "The server made a mistake. Its log says more."
    await said_by(answer, Row(request="", status=500, anchor="internal-error", message=message))
