"""Builds Lambda layers that are small, contain bytecode, and are byte-for-byte reproducible.

    sagemaker-runtime layer --python 3.12 --architecture arm64 --variant lean

A layer contains this distribution's packages, `sigv4` included, and their dependencies.  The
dependencies are installed from wheels that `pins.txt` lists with their hashes.  `_recipe` lists the
files that are left out, with the reasons.  The client never imports this package, and no layer
contains it.
"""
