"""HTTP in and out: bytes become calls of the rooms, their answers and refusals become bytes."""
