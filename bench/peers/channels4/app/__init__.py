"""The application that is measured, for Channels 4. gunicorn serves its view too."""
