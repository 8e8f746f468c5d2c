"""People, workspaces, sessions and invitations."""
