"""How `winnow --help` looks: commands in groups under a heading each, and examples under a command's own help."""

from itertools import groupby
from typing import Any

import typer
from typer.core import TyperGroup

from components.core.wording import wanted

WHOLE = 400  # characters: a caption is never cut, it goes on in the next line


class Grouped(TyperGroup):
    """Commands listed by their `rich_help_panel`, in the order they were added; options refused in plain words."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. What is wrong with an option's value is said as it is of a setting's."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            if errors := getattr(error.__cause__, "errors", None):
                error.message = f"it must be {wanted(errors()[0])}."
            raise

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each heading."""
        for heading, names in groupby(self.commands, key=lambda name: _heading(self.commands[name])):
            with formatter.section(heading):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(WHOLE)) for name in names])


def examples(*lines: str) -> str:
    r"""The foot of a command's help. `\b` keeps click from filling the lines to a paragraph."""
    return "\n".join(["\b", "Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)])


def _heading(command: Any) -> str:
    return command.rich_help_panel or "Commands"
