"""What the server tells of itself: metrics, health and logs."""
