"""The one family of errors that a user caused: each is a plain sentence that says what to do."""


class WinnowError(ValueError):
    """Something a user can mend; its text is one plain sentence: what was wrong, where, what to do."""


class Refused(WinnowError):  # noqa: N818 - a gate refuses; nothing is in error
    """A gate said no. Unlike after other errors, what the stage wrote is kept, because it shows why."""


class Unavailable(WinnowError):  # noqa: N818 - a state of the world outside
    """Something outside did not answer (a server, a cluster, a storage): trying again later may help."""
