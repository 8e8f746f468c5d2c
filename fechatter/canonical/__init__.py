"""The one form in which text, names, e-mail addresses, IP addresses and origins are compared and stored."""
