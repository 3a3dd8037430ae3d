from hypothesis import given, strategies as st
import pytest

from wwn_server.temperatures import Temperature, half_degrees, whole_degrees


@pytest.mark.parametrize(
    ("celsius", "fahrenheit"), [(9, 48), (20, 68), (20.5, 69), (21, 70), (22.5, 73), (24.5, 76), (32, 90), (-40, -40)]
)
def test_celsius_has_this_twin(celsius: float, fahrenheit: int) -> None:
    assert Temperature.from_celsius(celsius) == Temperature(celsius, fahrenheit)


@pytest.mark.parametrize(("fahrenheit", "celsius"), [(50, 10), (55, 13), (68, 20), (70, 21), (76, 24.5), (90, 32)])
def test_fahrenheit_has_this_twin(fahrenheit: int, celsius: float) -> None:
    assert Temperature.from_fahrenheit(fahrenheit) == Temperature(celsius, fahrenheit)


@pytest.mark.parametrize(("value", "rounded"), [(0.25, 0.5), (0.24, 0.0), (0.75, 1.0), (-0.25, 0.0), (-0.26, -0.5)])
def test_celsius_is_rounded_to_halves_upwards(value: float, rounded: float) -> None:
    assert half_degrees(value) == rounded


@pytest.mark.parametrize(("value", "rounded"), [(0.5, 1), (1.5, 2), (2.5, 3), (-0.5, 0), (0.49, 0)])
def test_fahrenheit_is_rounded_to_whole_degrees_upwards(value: float, rounded: int) -> None:
    assert whole_degrees(value) == rounded


@given(st.floats(-50, 60))
def test_both_are_as_near_as_their_step_allows(celsius: float) -> None:
    temperature = Temperature.from_celsius(celsius)
    assert abs(temperature.c - celsius) <= 0.25
    assert abs(temperature.f - (celsius * 9 / 5 + 32)) <= 0.5 + 1e-9
    assert isinstance(temperature.f, int)
