"""The spirit's voices: an offline one, and any OpenAI-compatible model."""

from server.spirit.choose import make_provider
from server.spirit.patience import Endpoint, Patience

__all__ = ["Endpoint", "Patience", "make_provider"]
