"""What looks at the project itself: draws documentation from code, checks parameters, and
installs what it needs."""
