"""What browsers load: the built client, with the headers that keep it safe."""
