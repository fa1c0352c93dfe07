"""The processor that books: records of Kafka in, entries, journal, lots and balances out, in one transaction with the offsets they reached.

`batch.py` is one batch from top to bottom; `processor.py` is the loop around it; `incoming.py` reads a record.
"""
