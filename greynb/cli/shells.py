"""The command ``completion``: what a shell needs to complete ``greynb``."""

from __future__ import annotations

import argparse

from greynb.cli.parser import Commands, Parser, add_command

_PLACES = """where the script goes:
  bash  ~/.local/share/bash-completion/completions/greynb, or `eval "$(greynb completion bash)"` in ~/.bashrc
  zsh   a file _greynb in a folder of $fpath, or `eval "$(greynb completion zsh)"` in ~/.zshrc after compinit
  fish  ~/.config/fish/completions/greynb.fish"""


def add(commands: Commands[Parser]) -> None:
    """Add ``completion``."""
    command = add_command(
        commands,
        "completion",
        "a script with which bash, zsh or fish complete greynb",
        more=_PLACES,
        examples=[
            ("completion bash > ~/.local/share/bash-completion/completions/greynb", "for new shells"),
            ("completion zsh > ~/.zfunc/_greynb", "where ~/.zfunc is in $fpath"),
            ("completion fish > ~/.config/fish/completions/greynb.fish", "for new shells"),
        ],
    )
    command.add_argument(
        "shell", choices=["bash", "zsh", "fish"], metavar="bash|zsh|fish", help="which shell"
    )
    command.set_defaults(run=_completion)


def _completion(args: argparse.Namespace) -> None:
    from argcomplete.shell_integration import shellcode

    # Without use_defaults bash does not offer files where a version or a table is wanted.
    print(shellcode(["greynb"], use_defaults=False, shell=args.shell))
