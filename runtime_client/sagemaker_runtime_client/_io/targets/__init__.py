"""The targets to which a download can write its data: paths, open files and memory."""
