"""Every prompt evolver sends, as reviewable text, and the texts that datasets wrap around an instruction."""

from evolver_templates.rendering import UserTemplate, render

__all__ = ["UserTemplate", "render"]
