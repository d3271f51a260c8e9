"""Commands of the deployer: build, make an administrator, look at dead letters, destroy.

They run on the deployer's machine and call AWS with boto3. They import neither the layer nor the
functions, because they must work on a machine that can only deploy. A newcomer starts with the
Makefile, whose targets run them, and with `stacks`, which finds a deployment.
"""
