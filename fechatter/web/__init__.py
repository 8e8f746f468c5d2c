"""What browsers load: pages, scripts and styles, served as they stand."""
