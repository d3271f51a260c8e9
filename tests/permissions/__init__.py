"""Each function's IAM policies allow every call that it makes, and nothing that it does not need.

`make permissions` prints the proof: recorded calls of AWS, evaluated by rules of IAM.

- `recorder` records the calls that functions make in tests, `calls` says which permissions each
  takes, and `recorded.json` keeps them. A test run that makes another call fails.
- `stack` has the translated template's policies, with the names of the tests' stack.
- `evaluator` asks @cloud-copilot/iam-simulate, which has AWS's own data of actions, resource types
  and condition keys. Its licence is the AGPL: it is never part of what is deployed.
- `matrix` puts the questions, and `refusals` has the calls that must be denied.
"""
