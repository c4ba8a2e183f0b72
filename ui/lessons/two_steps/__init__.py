"""The lesson *Is there one? Where?*: a classifier before a segmenter."""
