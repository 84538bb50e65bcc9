"""Every prompt evolver sends, as reviewable text, and the texts that datasets wrap around an instruction."""

from evolver_templates.rendering import UserTemplate, prompt_labels, render

__all__ = ["UserTemplate", "prompt_labels", "render"]
