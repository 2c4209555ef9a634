"""What performance is measured with; the last figures stand in README.md beside this file."""
