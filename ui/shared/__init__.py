"""Common parts of all pages: text, tables, badges, component files."""
