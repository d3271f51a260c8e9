"""Models of AWS's services with the interface of botocore's clients, in any clock's time.

They do what AWS documents, and nothing at random; the runs inject faults. `test_models_contract`
checks that the models and moto behave alike.
"""
