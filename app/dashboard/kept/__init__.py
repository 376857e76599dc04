"""What survives a reload: photographs, what was done to them, and what was learnt, as plain files in one folder."""
