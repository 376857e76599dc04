"""`python -m celebml_app.dashboard FOLDER`: the review of a folder of photographs, as a page."""

from pathlib import Path

import click

from celebml.errors import CelebmlError


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--port", default=8867, show_default=True, type=click.IntRange(1, 65535))
@click.option("--reviewer", default="", help="Who decides; your name on this computer by default.")
def main(folder: Path, port: int, reviewer: str) -> None:
    """Review the photographs in FOLDER, most doubtful first; decisions go to one file in it, decisions.jsonl.

    \b
    Example:
      python -m celebml_app.dashboard my-photos --port 8867
    """
    from .serve import review

    try:
        review(port, folder, reviewer)
    except CelebmlError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m celebml_app.dashboard")
