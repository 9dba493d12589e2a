-- What is known of backups: one row. Kind of table: engine, no grant to careloop_app. Backups themselves lie in the store that
-- CARELOOP_BACKUP names, with all that a restore needs; this is for the page, the doctor and the measures.
create table engine.backup (
  only_one boolean primary key default true check (only_one),
  base_id text,                     -- newest good base copy
  base_at timestamptz,              -- when it was finished
  base_bytes bigint,                -- bytes of its files
  base_put_bytes bigint,            -- bytes that had to be put anew
  wanted_at timestamptz,            -- somebody asked for a base copy now
  wal_lsn pg_lsn,                   -- everything before it is in the store
  wal_at timestamptz,               -- when that was seen
  ledger_at timestamptz,            -- when the erasure ledger was last known to be in the store as it is here
  wal_lost_at timestamptz,          -- the store was away for longer than log was held for it: a new base copy followed
  error_code text,                  -- what went wrong last; null when all is well
  error_since timestamptz,
  verified_at timestamptz,          -- when a backup was last restored for trial
  verified_base text,
  reported_at timestamptz,          -- external database: when its operator's own backup was finished, as they reported
  restored_at timestamptz,          -- this database came out of a restore
  restored_base text,
  restored_until timestamptz        -- last transaction that it holds of before
);
insert into engine.backup (only_one) values (true);
