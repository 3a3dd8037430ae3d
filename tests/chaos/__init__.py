"""Tests of the campaign itself, and a few of its runs."""
