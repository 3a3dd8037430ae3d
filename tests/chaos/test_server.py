"""A small part of the server's power cuts and of its nonsense; script/chaos plays the large one."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
import sqlite3

import pytest
import pytest_socket

from tools.chaos import fuzz, kill
from tools.chaos.nonsense import Keys, draw


@pytest.fixture(autouse=True)
def _loopback_sockets() -> None:
    """Let these tests use sockets, which Home Assistant's test plugin forbids."""
    pytest_socket.enable_socket()


@pytest.mark.timeout(300)
def test_a_few_power_cuts_lose_nothing_that_was_acknowledged() -> None:
    figures = asyncio.run(kill.play(4, 2014, lambda _: None))
    assert figures.broken == []
    assert figures.rounds == 4
    assert figures.acknowledged["owner's accounts"] + figures.under_way > 0
    assert figures.checked > 4


@pytest.mark.timeout(300)
def test_a_loss_would_be_noticed(tmp_path: Path) -> None:
    lost = {"a link is lost", "a registration is lost", "the owner's account is lost"}
    assert lost <= set(asyncio.run(_broken_by_losing_everything(tmp_path)))


async def _broken_by_losing_everything(folder: Path) -> list[str]:
    figures = kill.Figures()
    home = kill._Home(folder, figures)
    lives = 0
    while not figures.acknowledged["links"]:
        await home.one_life(kill.LONGEST_LIFE, Random(1))  # noqa: S311
        lives += 1
        assert lives < 20
    with sqlite3.connect(folder / "data" / "wwn-server.sqlite3") as file:
        for table in ("links", "clients", "accounts"):
            file.execute(f"DELETE FROM {table}")  # noqa: S608
    file.close()
    await home.end()
    return figures.broken


@pytest.mark.timeout(300)
def test_a_little_nonsense_breaks_nothing() -> None:
    figures = asyncio.run(fuzz.play(300, 2014, lambda _: None))
    assert figures.broken == []
    assert figures.kinds.total() >= 300
    assert figures.comparisons > 10
    assert {"400", "401", "404", "405"} <= figures.statuses.keys()


def test_the_same_seed_draws_the_same_nonsense_of_every_kind() -> None:
    keys = Keys("reads", "writes", "session", ("id",))
    first, second = ([draw(chance, keys) for _ in range(2000)] for chance in (Random(7), Random(7)))  # noqa: S311
    assert first == second
    assert len({each.kind for each in first}) == 9


@pytest.mark.parametrize("summary", [lambda: kill.summary(kill.Figures()), lambda: fuzz.summary(fuzz.Figures())])
def test_nothing_broken_is_said_to_be_nothing(summary: Callable[[], str]) -> None:
    assert summary().endswith(": 0.")
