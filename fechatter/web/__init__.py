"""What browsers load: the built client and the pages it replaces, with the headers that keep them safe."""
