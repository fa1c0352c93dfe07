"""The demo: a year of real shopping baskets as the purchases of a coalition, from Kafka to last night's settlement report.

`source` reads the baskets, `partners` makes departments into partners, `receipts` splits a basket into one purchase for each partner, `story`
adds what members do besides (enrol, spend points, bring things back) and `mistakes` what senders get wrong; `run` plays it, night by night.
"""
