-- migrate:up

-- Orders that were taken from clocks come from counters.
ALTER TABLE sessions ADD COLUMN used_order INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET used_order = (
    SELECT count(*) FROM sessions AS earlier
    WHERE earlier.user_id = sessions.user_id AND (earlier.last_used_at, earlier.id) < (sessions.last_used_at, sessions.id));

DROP INDEX memberships_by_joining;
CREATE INDEX memberships_by_joining ON memberships (chat_id, joined_seq, user_id) WHERE left_seq IS NULL;

-- migrate:down
