"""The server around the pages: status, headers, health check, HTML document."""
