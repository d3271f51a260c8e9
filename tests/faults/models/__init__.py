"""Models of AWS's services that speak botocore's client interface, in whatever time they are given.

They do what AWS documents and nothing at random: a harness injects what goes wrong. The contract
suite next door holds them and moto to the same behaviour.
"""
