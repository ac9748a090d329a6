"""Image files to arrays and back, and where their pixels lie."""
