"""What crosses the wire: schemas, commands that come in, events that go out."""
