from datetime import UTC
import json
from pathlib import Path
import re

import pytest

from wwn_server import texts
from wwn_server.homes.base import AlarmLevel, BatteryHealth, Presence
from wwn_server.limits import SlidingWindow
from wwn_server.pages.times import Moment, moment, zone_of
from wwn_server.passwords import hash_password, verify_password
from wwn_server.permissions import PERMISSIONS
from wwn_server.rules import NEEDS_OF_MODE
from wwn_server.texts import language, t

from .conftest import Clock

PACKAGE = Path(texts.__file__).parent
ENGLISH = json.loads((PACKAGE / "pages" / "texts" / "en.json").read_text(encoding="utf-8"))


class TestSlidingWindow:
    def test_so_often_and_no_more_within_the_time(self, clock: Clock) -> None:
        window = SlidingWindow(2, 60, clock)
        assert [window.wait("a"), window.wait("a")] == [0, 0]
        clock.seconds += 20
        assert window.wait("a") == 40
        clock.seconds += 40
        assert window.wait("a") == 0

    def test_each_on_their_own(self, clock: Clock) -> None:
        window = SlidingWindow(1, 60, clock)
        assert [window.wait(each) for each in ("a", "b", "c")] == [0, 0, 0]

    def test_a_refusal_does_not_prolong_the_wait(self, clock: Clock) -> None:
        window = SlidingWindow(1, 60, clock)
        assert [window.wait("a"), window.wait("a"), window.wait("a")] == [0, 60, 60]

    def test_a_crowd_is_forgotten(self, clock: Clock) -> None:
        window = SlidingWindow(1, 60, clock)
        for number in range(1001):
            window.wait(str(number))
        clock.seconds += 61
        window.wait("a")
        assert len(window._times) == 1


class TestPasswords:
    def test_only_the_password_fits_its_hash(self) -> None:
        phc = hash_password("correct horse")
        assert verify_password("correct horse", phc)
        assert not verify_password("Correct horse", phc)
        assert phc.startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    def test_the_same_password_has_another_hash_each_time(self) -> None:
        assert hash_password("x") != hash_password("x")


class TestMoments:
    def test_they_are_as_the_zone_has_them_summer_or_winter(self) -> None:
        zone = zone_of(["Europe/London"])
        assert moment(1_750_000_000, zone) == Moment("2025-06-15 16:06 BST", "2025-06-15T16:06:40+01:00")
        assert moment(1_768_000_000, zone) == Moment("2026-01-09 23:06 GMT", "2026-01-09T23:06:40+00:00")

    @pytest.mark.parametrize(
        "name", [None, "", "Nowhere/Land", "/etc/passwd", "../UTC", "Europe", "a\0b", "é" * 300, 7]
    )
    def test_a_zone_that_nobody_knows_is_left_out(self, name: object) -> None:
        assert zone_of([name]) is UTC
        assert str(zone_of([name, "Asia/Tokyo"])) == "Asia/Tokyo"


class TestTexts:
    def test_placeholders_are_filled_and_what_fills_them_is_not_read_again(self) -> None:
        assert t("consent.port", port="{hub}") == "port {hub}"

    def test_a_key_that_is_nowhere_is_a_mistake(self) -> None:
        with pytest.raises(KeyError):
            t("no.such.key")

    def test_another_language_falls_back_to_english(self, monkeypatch: pytest.MonkeyPatch) -> None:
        english = texts._texts("en")
        known = {"en": english, "de": {"consent.accept": "Annehmen"}}
        monkeypatch.setattr(texts, "_texts", known.__getitem__)
        token = language.set("de")
        assert (t("consent.accept"), t("consent.back")) == ("Annehmen", "Back")
        language.reset(token)

    def test_every_key_that_is_used_has_a_text_and_every_text_a_use(self) -> None:
        sources = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html")]
        code = "\n".join(each.read_text(encoding="utf-8") for each in sources)
        used = set(
            re.findall(
                r'"((?:page|first_run|account|password|plain_http|sign_in|consent|pin|connections|console|oauth|register|refusal)\.(?!html)[a-z_]+)"',
                code,
            )
        )
        used |= {f"permission.{name}.{part}" for name in PERMISSIONS for part in ("title", "text")}
        used |= {f"console.word.{each}" for each in (*AlarmLevel, *BatteryHealth, *Presence)}
        used |= {f"console.word.{each}" for each in ("true", "false", "unknown")}
        used |= {f"console.mode.{mode}" for mode in NEEDS_OF_MODE}
        used |= {f"console.state.{state}" for state in ("heating", "cooling", "off")}
        assert used == set(ENGLISH)
