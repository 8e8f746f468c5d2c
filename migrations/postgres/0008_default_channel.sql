-- migrate:up

-- The channel that new people join; a workspace of an earlier version has none until somebody chooses one. It is no foreign
-- key, because chats refer to workspaces already and copying fills tables one after the other.
ALTER TABLE workspaces ADD COLUMN default_chat_id BIGINT;

-- migrate:down
