"""What keeps a stranger's request from doing harm."""
