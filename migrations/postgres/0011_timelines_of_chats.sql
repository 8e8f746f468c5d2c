-- migrate:up

-- A timeline names its chat, so that the threads of a chat can be found. The chat's own timeline has the chat's id.
ALTER TABLE timelines ADD COLUMN chat_id BIGINT NOT NULL DEFAULT 0;
UPDATE timelines SET chat_id = id;
CREATE INDEX timelines_by_chat ON timelines (chat_id, id);

-- migrate:down
