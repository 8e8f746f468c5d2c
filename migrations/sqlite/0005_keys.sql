-- migrate:up

-- SQL knows neither IDNA nor Unicode's properties: the keys are computed anew by fechatter/storage/rekeying.py.
ALTER TABLE server ADD COLUMN keys_version INTEGER NOT NULL DEFAULT 0;

-- migrate:down
