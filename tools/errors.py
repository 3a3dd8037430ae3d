"""What goes wrong in the tools, as a sentence for the person who runs them."""


class ToolError(Exception):
    """A failure that a person should read about: what happened, and what to do."""


class ProcessError(ToolError):
    """A failure of a process that we started; it quotes the end of its log."""
