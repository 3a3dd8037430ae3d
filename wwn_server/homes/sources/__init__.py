"""Sources of real devices, one file for each kind, and what they share to reach them."""
