"""The forms of a web page, as a browser without a window sees them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import override


@dataclass(slots=True, kw_only=True)
class Form:
    """A form: where it goes, and what its fields hold before a person touches them."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    has_password: bool = False


@dataclass(slots=True)
class Page:
    """What of a page matters for going on."""

    forms: list[Form]
    alerts: list[str]

    def form(self, action: str) -> Form | None:
        """Return the form that goes to an address."""
        return next((form for form in self.forms if form.action == action), None)


def parse_page(html: str) -> Page:
    """Return the forms of a page, and the texts it marks as alerts."""
    parser = _PageParser()
    parser.feed(html)
    parser.close()
    alerts = (" ".join("".join(alert).split()) for alert in parser.alerts)
    return Page(parser.forms, [alert for alert in alerts if alert])


class _PageParser(HTMLParser):
    """Collects forms with their inputs, and the texts of elements with the role of an alert."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.alerts: list[list[str]] = []
        self._open_form: Form | None = None
        self._open_alert: str | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if attributes.get("role") == "alert":
            self._open_alert = tag
            self.alerts.append([])
        elif self._open_alert:
            # Tags part words, as line breaks do.
            self.alerts[-1].append(" ")
        if tag == "form":
            self._open_form = Form(action=attributes.get("action", ""))
            self.forms.append(self._open_form)
        elif tag == "input" and self._open_form and "name" in attributes:
            self._add_input(self._open_form, attributes)

    @staticmethod
    def _add_input(form: Form, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", "text")
        if kind in {"checkbox", "radio"} and "checked" not in attributes:
            return
        form.fields[attributes["name"]] = attributes.get("value", "")
        form.has_password |= kind == "password"

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open_form = None
        if tag == self._open_alert:
            self._open_alert = None

    @override
    def handle_data(self, data: str) -> None:
        if self._open_alert:
            self.alerts[-1].append(data)
