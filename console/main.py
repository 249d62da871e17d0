"""The command `backship`: reads what was typed, runs it, and ends with the status of contract §6.

1. Commands are declared in `operate` (what changes something), `look` (what only looks) and `dead`
   (what was set aside). None imports more than typer: what a command needs it imports when it is
   called, so that `backship --help` takes a quarter of a second, and not one and a half.
2. Whatever goes wrong ends as one sentence on standard error (`trouble`), unless `--debug` asks for
   the stack.

Typer's own help and errors in rich boxes are off: they would double that quarter of a second, and
an error is one sentence.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from console import dead, look, operate
from console.trouble import Status, explain

DEBUG = "--debug"

app = typer.Typer(
    name="backship",
    help="A back-order engine: what can't ship now waits its turn, is bought, arrives and ships.",
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    *,
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Show the stack of an error. May stand anywhere.")
    ] = False,
) -> None:
    del debug  # taken out of the arguments by `run`; declared for `--help`


operate.declare(app)
look.declare(app)
dead.declare(app)


def main() -> NoReturn:
    """Run what was typed and end the process."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status; prints what went wrong."""
    debug = DEBUG in arguments
    given = [argument for argument in arguments if argument != DEBUG] or ["--help"]
    try:
        status = app(args=given, prog_name="backship", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130  # what a shell expects of a program stopped by SIGINT
    except (BrokenPipeError, SystemExit):
        # `backship emitted | head`: the reader has had enough, which is nothing wrong. (Typer makes
        # a SystemExit of it, and of nothing else here.)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Status.DONE
    except Exception as error:  # noqa: BLE001 - the last place where a sentence can be made of it
        if debug:
            traceback.print_exc()
        status, sentence = explain(error)
        sys.stderr.write(f"backship: {sentence}\n")
    return int(status or Status.DONE)
