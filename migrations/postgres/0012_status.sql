-- migrate:up

-- What a person shows of themselves: a status, until a time or until it is cleared, and two preferences.
ALTER TABLE users ADD COLUMN status_emoji TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN status_text TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN status_until BIGINT;
ALTER TABLE users ADD COLUMN shows_presence BIGINT NOT NULL DEFAULT 1 CHECK (shows_presence IN (0, 1));
ALTER TABLE users ADD COLUMN sends_receipts BIGINT NOT NULL DEFAULT 1 CHECK (sends_receipts IN (0, 1));
CREATE INDEX users_by_status_end ON users (status_until) WHERE status_until IS NOT NULL;

-- migrate:down
