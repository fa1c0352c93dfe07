"""From a netted window to money that has arrived: people, their signatures, and the proof of both."""
