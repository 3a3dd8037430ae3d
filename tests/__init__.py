"""Tests of both sides."""
