"""The demo: a real Home Assistant linked to a real Works with Nest server, on this machine only."""
