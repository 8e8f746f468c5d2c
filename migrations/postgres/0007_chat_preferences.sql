-- migrate:up

-- What one member wants of a chat, private to that person. It ends with the membership.
ALTER TABLE memberships ADD COLUMN starred BIGINT NOT NULL DEFAULT 0 CHECK (starred IN (0, 1));
ALTER TABLE memberships ADD COLUMN muted BIGINT NOT NULL DEFAULT 0 CHECK (muted IN (0, 1));

-- migrate:down
