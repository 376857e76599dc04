"""`python -m celebml`, where scripts are not on the path."""

from celebml.cli import main

main(prog_name="celebml")
