"""The seal of each window: leaves read from the books, trees over them, heads signed and chained, exports that prove themselves (docs/adr/0015-seal.md)."""
