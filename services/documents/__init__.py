"""Files that people write: YAML 1.2 in, plain values or findings with line and column out."""
