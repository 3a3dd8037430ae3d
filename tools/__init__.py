"""Development tools: the demo, and the pieces it shares with the tests that run everything for real."""
