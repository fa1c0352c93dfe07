"""What senders use: files of events checked and sent, answers listened to, one event followed through the house."""
