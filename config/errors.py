"""What can be wrong with settings.

SettingsError
"""


class SettingsError(Exception):
    """A setting is mistyped, unknown or out of its range; the message names it in one sentence."""
