"""What may be forgotten at any time: answers that the gateway keeps."""
