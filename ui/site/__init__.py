"""What surrounds the pages: status, headers, health check, the server's document."""
