"""Temperatures as the wire has them: each twice, whole Fahrenheit and half Celsius."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Literal

type Unit = Literal["c", "f"]


def celsius_from(fahrenheit: float) -> float:
    """Return degrees Celsius, unrounded."""
    return (fahrenheit - 32) * 5 / 9


def fahrenheit_from(celsius: float) -> float:
    """Return degrees Fahrenheit, unrounded."""
    return celsius * 9 / 5 + 32


def half_degrees(celsius: float) -> float:
    """Round to the nearest half degree, halves up."""
    return math.floor(celsius * 2 + 0.5) / 2


def whole_degrees(fahrenheit: float) -> int:
    """Round to the nearest degree, halves up."""
    return math.floor(fahrenheit + 0.5)


@dataclass(frozen=True, slots=True)
class Temperature:
    """One temperature in both units, each rounded on its own (protocol 8.4)."""

    c: float
    f: int

    @classmethod
    def from_celsius(cls, celsius: float) -> Temperature:
        """Return a temperature measured or written in Celsius."""
        fahrenheit = whole_degrees(fahrenheit_from(celsius))
        return cls(half_degrees(celsius), fahrenheit)

    @classmethod
    def from_fahrenheit(cls, fahrenheit: float) -> Temperature:
        """Return a temperature measured or written in Fahrenheit."""
        celsius = half_degrees(celsius_from(fahrenheit))
        return cls(celsius, whole_degrees(fahrenheit))

    @classmethod
    def written(cls, value: float, unit: Unit) -> Temperature:
        """Return what a hub wrote, in the unit it wrote."""
        make = {"c": cls.from_celsius, "f": cls.from_fahrenheit}
        return make[unit](value)

    def fields(self, stem: str) -> dict[str, float | int]:
        """Return the two fields of a temperature in a document."""
        return {f"{stem}_c": self.c, f"{stem}_f": self.f}
