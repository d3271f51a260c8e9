"""What looks at the project itself: draws documentation from code, and checks parameters."""
