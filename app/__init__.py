"""The web page and the dashboard, both made of the library; installed as `celebml_app`."""
