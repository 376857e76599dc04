"""Work that takes longer than a blink, in a process of its own that outlives the page which asked for it."""
