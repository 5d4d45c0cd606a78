"""The emulated SQS and SNS."""
