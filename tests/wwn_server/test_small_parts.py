from datetime import UTC

import pytest

from wwn_server.limits import SlidingWindow
from wwn_server.pages.times import Moment, moment, zone_of
from wwn_server.passwords import hash_password, verify_password
from wwn_server.texts import t

from .conftest import Clock


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

    def test_a_lively_crowd_is_not_looked_through_each_time(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        window = SlidingWindow(1, 60, clock)
        looks: list[float] = []
        look = window._forget_quiet
        monkeypatch.setattr(window, "_forget_quiet", lambda now: (looks.append(now), look(now)))
        assert {window.wait(str(number)) for number in range(5000)} == {0}
        assert len(looks) == 3
        assert window.wait("0") == 60


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
