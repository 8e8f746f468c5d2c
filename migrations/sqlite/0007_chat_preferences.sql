-- migrate:up

-- What one member wants of a chat, private to that person. It ends with the membership.
ALTER TABLE memberships ADD COLUMN starred INTEGER NOT NULL DEFAULT 0 CHECK (starred IN (0, 1));
ALTER TABLE memberships ADD COLUMN muted INTEGER NOT NULL DEFAULT 0 CHECK (muted IN (0, 1));

-- migrate:down
