"""The app (add-on) of Home Assistant: what can be held without building its image."""
