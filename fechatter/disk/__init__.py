"""Files that appear complete or not at all, and messages for file errors."""
