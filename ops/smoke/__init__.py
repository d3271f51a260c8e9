"""The smoke test of a stack: `python -m ops.smoke`, or `make smoke`.

`run` has the checks in their order, and the verdict. The checks of one thing are one module: who
may call the API in `access`, where events go in `endpoint`, events in `deliveries`, and what only
AWS can answer in `iam`, `alarms` and `lambdas`. They share the stack (`target`), what is made in it
(`project` and `connector`), the report, and the timer. A new check is a function in the module of
its thing, and a line in `run`.
"""
