"""The operator's accounts: what points may cost, what is earned with them, and the entries of the operator's books."""
