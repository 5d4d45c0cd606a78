"""Objects of S3: locations, requests, checksums."""
