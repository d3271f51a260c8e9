"""Commands of the deployer: build, make an administrator, dead letters, export, restore, destroy.

They run on the deployer's machine, and call AWS with boto3 or the API with requests. They import
neither the layer nor the functions, because they must work on a machine that can only deploy. A
newcomer starts with the Makefile, whose targets run them, and with `stacks`, which finds a
deployment.
"""
