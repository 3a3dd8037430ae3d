"""Tests of the integration inside a Home Assistant."""
