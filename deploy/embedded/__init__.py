"""The deployment on one machine, for `make up`: virtual environment, private Redis, supervisord. No dependencies."""
