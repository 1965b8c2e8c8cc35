"""The commands of `winnow`, a file for each group that `winnow --help` shows, which load what they need when called."""
