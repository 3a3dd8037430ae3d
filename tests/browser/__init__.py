"""A real Home Assistant and the real server, driven in real Chromium as a person would."""
