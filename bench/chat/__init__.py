"""The chat itself: messages stored a second, and joining, against the database that it runs on."""
