"""Tests of the hub's half of the protocol, on real sockets and without Home Assistant."""
