"""Fakes of AWS, customers and clocks for tests."""
