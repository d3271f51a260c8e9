"""What makes parts of the documentation from the code, so that they stay true."""
