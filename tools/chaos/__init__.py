"""The campaign: faults between a real Home Assistant and the real server, and whether the truth came through."""
