"""The screens of the dashboard: the workbench, and what lies one step deeper."""
