"""The offline spirit: a planchette that needs no key and remembers the evening."""

from server.spirit.ouija.voice import OuijaSpirit

__all__ = ["OuijaSpirit"]
