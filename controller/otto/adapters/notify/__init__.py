"""The port `Notifier`: people are told by webhook, chat, e-mail or a command, through Apprise."""

from otto.adapters.notify.notifier import Notifications, Options, Outcome, kinds_of
from otto.adapters.notify.ways import Way, open_ways, secrets_of

__all__ = ["Notifications", "Options", "Outcome", "Way", "kinds_of", "open_ways", "secrets_of"]
