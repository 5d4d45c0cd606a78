"""The notifications of SageMaker and S3, and the functions that AWS Lambda would call."""
