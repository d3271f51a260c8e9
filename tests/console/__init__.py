"""The pages in a real browser: Debian's Chromium, headless, on the stack of `make run`.

`make console-test` runs all of it. `make test` runs only the few seconds of
`tests/e2e/test_console_end_to_end.py`. Start reading in `browser`.
"""
