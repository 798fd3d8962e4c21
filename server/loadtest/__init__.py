"""The load tester behind `seance loadtest`: many Socket.IO clients that check every answer they get."""
