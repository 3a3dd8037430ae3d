"""Tests of the Nest side. ``--confcutdir`` set to this folder runs them without Home Assistant."""
