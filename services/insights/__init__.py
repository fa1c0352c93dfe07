"""The derived side: live figures of partners and signals about cards, counted from the answers by Faust agents. Nothing here books.

Reading order: reading.py (records), figures.py and velocity.py (what is counted, purely), worker.py (one programme's process: agents.py on Faust,
outlet.py, liveness.py), main.py (starts a worker for each programme and starts it again when it ends), board.py (reads the figures back).
"""
