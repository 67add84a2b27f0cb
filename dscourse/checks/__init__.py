"""What the exercises of all chapters share: run the reader's function, compare, and say in words what is wrong."""
