"""The two doors to a session, Socket.IO and raw WebSocket, and what both share."""
