"""Objects in S3: locations, requests and checksums."""
