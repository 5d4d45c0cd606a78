"""Builds Lambda layers that are small, contain bytecode, and are byte-for-byte reproducible.

    sagemaker-runtime layer --python 3.12 --architecture arm64 --variant lean

A layer contains this package, `sigv4` and their dependencies.  The dependencies are wheels that
`pins.txt` lists with their hashes; `_recipe` lists the files that are left out, with the reasons.
The library never imports this package, and no layer contains it.
"""
