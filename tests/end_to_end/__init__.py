"""A real Home Assistant linked to the real server, over real sockets."""
