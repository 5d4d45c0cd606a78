"""The emulated SQS and SNS, and the notifications that the other services send to them."""
