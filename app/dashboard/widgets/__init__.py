"""The parts of the screen that ipywidgets has not; each has its other half in `frontend/`."""
