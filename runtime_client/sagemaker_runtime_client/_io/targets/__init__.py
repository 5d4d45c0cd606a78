"""Where a download writes its data: a file, an open file, or memory."""
