"""The notifications of SageMaker and S3, and the calls that AWS Lambda would make for them."""
