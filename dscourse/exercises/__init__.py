"""The exercises of the chapters: ``from dscourse.exercises import <slug> as exercises``."""
