"""What people type into forms, and what is wrong with it, field by field."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from wwn_server.naming import LONGEST_HOME_NAME, is_home_name
from wwn_server.passwords import password_problem
from wwn_server.store.accounts import LONGEST_NAME, is_name
from wwn_server.texts import t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

type Form = Mapping[str, str]
type Problems = dict[str, str | None]

_MINUTE: Final = 60


def found(problems: Problems) -> dict[str, str]:
    """Return the problems that there are."""
    return {field: problem for field, problem in problems.items() if problem is not None}


def account_problems(form: Form) -> Problems:
    """Return what is wrong with a new account, and with its new password."""
    name = form.get("username", "").strip()
    fault = None if is_name(name) else t("account.name_problem", longest=LONGEST_NAME)
    return {"username": fault} | new_password_problems(form)


def new_password_problems(form: Form) -> Problems:
    """Return what is wrong with a password that was typed twice."""
    password = form.get("password", "")
    same = form.get("again", "") == password
    return {"password": password_problem(password), "again": None if same else t("password.differ")}


def home_problems(form: Form) -> Problems:
    """Return what is wrong with the name of a home."""
    sound = is_home_name(form.get("home", "").strip())
    return {"home": None if sound else t("first_run.home_problem", longest=LONGEST_HOME_NAME)}


def too_often(seconds: float) -> str:
    """Return the sentence that says how long to wait."""
    minutes = math.ceil(seconds / _MINUTE)
    return t("page.wait_one") if minutes == 1 else t("page.wait_many", minutes=minutes)


def with_retry_after(response: web.Response, seconds: float) -> web.Response:
    """Tell programs how long to wait."""
    response.headers["Retry-After"] = str(math.ceil(seconds))
    return response
