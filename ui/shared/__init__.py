"""What every page uses: text, tables, badges, files of components."""
