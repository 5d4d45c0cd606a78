"""Messages about notifications."""

# The files and folders of the product whose messages must all be in a table.
COVERED = ("runtime_client/sagemaker_runtime_client/events",)

MESSAGES = []
