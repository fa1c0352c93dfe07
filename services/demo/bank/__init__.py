"""The demo of money: the demo's coalition with a co-brand bank and a settlement bank (`make demo-bank`)."""
