"""The dashboard on which people are taught: a Voila page."""
