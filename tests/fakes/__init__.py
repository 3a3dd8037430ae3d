"""The fakes speak what the real things speak."""
