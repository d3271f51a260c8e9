"""What stands in for AWS and for time in tests."""
