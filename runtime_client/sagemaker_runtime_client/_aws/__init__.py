"""One call to any AWS service: endpoint, signature, attempts, errors.  Knows no operation."""
