"""An inference job: its arguments, request, handle, wait and output."""
