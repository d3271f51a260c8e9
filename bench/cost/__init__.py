"""What the bundle costs by list prices: a bill for a load, beside SNS and EventBridge.

`prices.py` has every price that this project computes with, `measured.py` what was measured here
or assumed, `model.py` the bill. Nothing of this has run on AWS.
"""
