"""What counts as having happened in a home, rule by rule."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_components.works_with_nest.gaps import Gap, gap_between
from custom_components.works_with_nest.transitions import Known, Seen, Transition, transitions
from custom_components.works_with_nest.wwn.models import DocumentReader

BEDROOM = "Kas1VOqg6YYZYn9ZhyiA4uoRgnatmUdj"
KITCHEN = "AWtGSU8po-799NksnRH9ucAUsdMlHUvT"
HOME = "PtYgjmUhBel31iEl2hpChYgCfrL1spNxnyVmihA_2O76UMFxFkM_Rw"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

type Change = dict[str, Any]


class Home:
    """A home that is told of document by document, as a link would."""

    def __init__(self, document: dict[str, Any], homes: frozenset[str] = frozenset({HOME})) -> None:
        self.raw = deepcopy(document)
        self.homes = homes
        self.known: Known | None = None
        self.take()

    def take(self, gap: Gap | None = None) -> tuple[Transition, ...]:
        document = DocumentReader().read(deepcopy(self.raw))
        self.known, found = transitions(self.known, document, self.homes, Seen(at=NOW, gap=gap))
        return found

    def bedroom(self, **change: Any) -> list[tuple[str, str | None, str]]:
        self.raw["devices"]["smoke_co_alarms"][BEDROOM].update(change)
        return told(self.take())

    def presence(self, word: str | None) -> list[tuple[str, str | None, str]]:
        self.raw["structures"][HOME]["away"] = word
        return told(self.take())


def told(found: tuple[Transition, ...]) -> list[tuple[str, str | None, str]]:
    return [(str(each.kind), each.before and str(each.before), str(each.after)) for each in found]


@pytest.fixture
def home(everything_granted: dict[str, Any]) -> Home:
    return Home(everything_granted)


def test_a_first_link_reports_nothing_of_what_stands(everything_granted: dict[str, Any]) -> None:
    alarm = everything_granted["devices"]["smoke_co_alarms"][BEDROOM]
    alarm.update(smoke_alarm_state="emergency", is_manual_test_active=True)
    document = DocumentReader().read(everything_granted)
    known, found = transitions(None, document, frozenset({HOME}), Seen(at=NOW))
    assert found == ()
    assert transitions(known, document, frozenset({HOME}), Seen(at=NOW)) == (known, ())


def test_a_transition_says_where_what_and_when(home: Home) -> None:
    home.raw["devices"]["smoke_co_alarms"][BEDROOM]["smoke_alarm_state"] = "emergency"
    (transition,) = home.take()
    assert transition == Transition(
        home_id=HOME, thing_id=BEDROOM, kind="smoke", before="ok", after="emergency", at=NOW, late=False, gap=None
    )


def test_after_a_gap_it_is_late_and_says_which(home: Home) -> None:
    gap = Gap(start=NOW - timedelta(minutes=2), end=NOW)
    home.raw["devices"]["smoke_co_alarms"][BEDROOM]["co_alarm_state"] = "warning"
    (transition,) = home.take(gap)
    assert (transition.kind, transition.late, transition.gap) == ("carbon_monoxide", True, gap)


def test_every_step_of_an_alarm_is_told_once(home: Home) -> None:
    steps = ["warning", "warning", "emergency", "warning", "ok", "ok"]
    assert [home.bedroom(smoke_alarm_state=step) for step in steps] == [
        [("smoke", "ok", "warning")],
        [],
        [("smoke", "warning", "emergency")],
        [("smoke", "emergency", "warning")],
        [("smoke", "warning", "ok")],
        [],
    ]


@pytest.mark.parametrize(
    "silence",
    [
        pytest.param({"is_online": False}, id="offline with its last word"),
        pytest.param({"is_online": False, "smoke_alarm_state": "ok"}, id="offline and ok"),
        pytest.param({"is_online": None, "smoke_alarm_state": "ok"}, id="nothing of being online, and ok"),
        pytest.param({"is_online": "true", "smoke_alarm_state": "ok"}, id="online as text, and ok"),
        pytest.param({"smoke_alarm_state": None}, id="no level"),
        pytest.param({"smoke_alarm_state": "fine"}, id="a word that is not known"),
        pytest.param({"smoke_alarm_state": ""}, id="an empty word"),
        pytest.param({"smoke_alarm_state": ["ok"]}, id="no word at all"),
    ],
)
def test_an_emergency_that_falls_silent_is_not_over(home: Home, silence: Change) -> None:
    home.bedroom(smoke_alarm_state="emergency")
    assert home.bedroom(**silence) == []
    assert home.bedroom(is_online=True, smoke_alarm_state="ok") == [("smoke", "emergency", "ok")]


def test_an_alarm_that_is_missing_has_told_nothing(home: Home) -> None:
    home.bedroom(smoke_alarm_state="emergency")
    alarms = home.raw["devices"].pop("smoke_co_alarms")
    assert home.take() == ()
    structures = home.raw.pop("structures")
    assert home.take() == ()
    home.raw["devices"]["smoke_co_alarms"], home.raw["structures"] = alarms, structures
    assert home.take() == ()
    assert home.bedroom(smoke_alarm_state="ok") == [("smoke", "emergency", "ok")]


def test_an_alarm_that_is_worse_is_told_even_of_one_that_fell_silent_with_it(home: Home) -> None:
    assert home.bedroom(smoke_alarm_state="warning", is_online=False) == [("smoke", "ok", "warning")]
    assert home.bedroom(smoke_alarm_state="emergency") == [("smoke", "warning", "emergency")]
    assert home.bedroom(smoke_alarm_state="warning") == []


def test_a_manual_test_neither_fires_nor_hides(home: Home) -> None:
    assert home.bedroom(is_manual_test_active=True) == [("test", None, "started")]
    assert home.bedroom(smoke_alarm_state="warning") == []
    assert home.bedroom(co_alarm_state="emergency") == [("carbon_monoxide", "ok", "emergency")]
    assert home.bedroom(smoke_alarm_state="emergency") == [("smoke", "ok", "emergency")]
    assert home.bedroom(smoke_alarm_state="ok", co_alarm_state="ok") == [
        ("smoke", "emergency", "ok"),
        ("carbon_monoxide", "emergency", "ok"),
    ]
    assert home.bedroom(is_manual_test_active=False) == []


def test_a_warning_that_outlasts_the_test_is_told_when_the_test_ends(home: Home) -> None:
    home.bedroom(is_manual_test_active=True, smoke_alarm_state="warning")
    assert home.bedroom(is_manual_test_active=False) == [("smoke", "ok", "warning")]


def test_a_warning_that_ends_with_the_test_is_never_told(home: Home) -> None:
    home.bedroom(is_manual_test_active=True, smoke_alarm_state="warning")
    assert home.bedroom(is_manual_test_active=False, smoke_alarm_state="ok") == []


def test_a_test_is_passed_with_a_newer_time(home: Home) -> None:
    home.bedroom(is_manual_test_active=True)
    passed = {"is_manual_test_active": False, "last_manual_test_time": "2026-11-24T12:00:00.000Z"}
    assert home.bedroom(**passed) == [("test", None, "passed")]
    assert home.bedroom(last_manual_test_time=None) == []
    assert home.bedroom(**passed) == []
    assert home.bedroom(last_manual_test_time="2018-12-03T11:01:00.000Z") == []


def test_a_first_test_can_be_passed_without_having_been_seen_to_start(home: Home) -> None:
    home.raw["devices"]["smoke_co_alarms"][KITCHEN]["last_manual_test_time"] = "2026-11-24T12:00:00.000Z"
    assert told(home.take()) == [("test", None, "passed")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["away"], [("presence", "home", "away")]),
        (["auto-away", "away", "home"], [("presence", "home", "away"), ("presence", "away", "home")]),
        (["unknown", None, "sabbatical", "home"], []),
        (["unknown", "away"], [("presence", "home", "away")]),
    ],
)
def test_presence_changes_between_home_and_away_alone(
    home: Home, words: list[str | None], expected: list[tuple[str, str, str]]
) -> None:
    assert [each for word in words for each in home.presence(word)] == expected


def test_a_new_alarm_that_is_well_is_no_news_and_one_that_is_not_is(home: Home) -> None:
    alarms = home.raw["devices"]["smoke_co_alarms"]
    alarms["attic"] = alarms[BEDROOM] | {"device_id": "attic"}
    assert home.take() == ()
    alarms["cellar"] = alarms[BEDROOM] | {"device_id": "cellar", "co_alarm_state": "emergency"}
    assert told(home.take()) == [("carbon_monoxide", None, "emergency")]


def test_other_homes_are_none_of_this_links_business(everything_granted: dict[str, Any]) -> None:
    home = Home(everything_granted, homes=frozenset({"another"}))
    assert home.bedroom(smoke_alarm_state="emergency") == []
    assert home.presence("away") == []
    assert home.bedroom(structure_id=None) == [("smoke", None, "emergency")]


def test_what_is_known_survives_storage(home: Home) -> None:
    home.bedroom(smoke_alarm_state="emergency", is_manual_test_active=True)
    home.presence("away")
    assert home.known is not None
    assert Known.from_dict(home.known.as_dict()) == home.known


def test_a_clock_that_was_set_back_makes_no_gap_that_ends_before_it_begins() -> None:
    later = NOW + timedelta(hours=1)
    assert gap_between(later, NOW) == Gap(start=NOW, end=NOW)
