"""The bench: this deployment beside its peers on one machine. ``make bench``; README.md tells what is measured."""
