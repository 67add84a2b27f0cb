"""Programs that measure what takes too long for a page, and write it to ``dscourse/measured/``."""
