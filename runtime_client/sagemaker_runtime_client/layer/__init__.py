"""
Lambda layers: small, with bytecode, the same bytes from the same inputs.

    sagemaker-runtime layer --python 3.12 --architecture arm64 --variant lean

A layer holds this package, `sigv4` and what they need, from wheels that `pins.txt` names with their
hashes; `_recipe` says what is left out, and why.  Nothing in the library imports this package, and
no layer holds it.
"""
