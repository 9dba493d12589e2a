-- Telemetry: series, open segments, sealed chunks, gaps. All values are sealed; in the clear stand opaque ids, times and counts.

-- A series is (device, signal, assignment): chunks never span wearers. Without assignment: readings that a correction took away
-- from everyone; they are sealed under the tenant's key and wait for the next correction.
create table tenant.series (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  device uuid not null,
  signal text not null,
  assignment uuid,
  subject uuid,
  unit text not null,                     -- UCUM, the signal's canonical unit
  expected_interval_ms bigint,            -- set by a person or device settings; null: the vocabulary's
  learned_interval_ms bigint,             -- what the device was seen to do, where that is slower
  worn_until_ms bigint,                   -- end of the assignment, once it has one: silence after it is no gap
  created_at timestamptz not null default now(),
  unique nulls not distinct (tenant_id, device, signal, assignment),
  check ((assignment is null) = (subject is null))
);
create index series_subject on tenant.series (tenant_id, subject, signal);
select engine.make_tenant_table('tenant.series', 'select, insert, update');

-- Open segments: the newest readings, one row per series and batch of the log, until they are sealed into chunks.
create table engine.sample (
  series_id bigint not null,
  position bigint not null,               -- of the batch's last commit in the reading log
  part int not null,
  partition int not null,
  n int not null,
  first_ms bigint not null,               -- span of measuredAt, outwards to whole ms
  last_ms bigint not null,
  stored_ms bigint not null,              -- storedAt of the oldest reading
  body bytea not null,
  primary key (series_id, position, part)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000);
alter table engine.sample alter column body set storage external;

create table engine.chunk (
  series_id bigint not null,
  tier smallint not null,                 -- 0 raw, 1 rollup of one raw chunk (same from_ms and part), 2 rollup of a window
  from_ms bigint not null,                -- span of measuredAt, outwards to whole ms; of a window: [from_ms, to_ms)
  part int not null,                      -- tells chunks apart that begin in the same ms
  to_ms bigint not null,
  n int not null,                         -- readings
  resolution_ms int not null,             -- 0 raw
  version smallint not null,              -- docs/chunk-format.md
  blob uuid,                              -- where the body is once it has been moved out
  body bytea,
  primary key (series_id, tier, from_ms, part),
  check ((body is null) <> (blob is null)),
  check ((tier = 0) = (resolution_ms = 0))
);
alter table engine.chunk alter column body set storage external;

-- A missing reading is a state. Without series: Careloop itself was deaf, for everyone.
create table tenant.gap (
  id uuid primary key,
  tenant_id uuid not null,
  series_id bigint references tenant.series (id),
  device uuid,
  subject uuid,
  signal text,
  from_ms bigint not null,                -- measuredAt of the last reading before it
  to_ms bigint,                           -- measuredAt of the first reading after it; null = still open
  reason text not null check (reason in ('no-data', 'offline', 'deaf')),
  check (to_ms is null or to_ms > from_ms)
);
create index gap_series on tenant.gap (tenant_id, series_id, from_ms);
create index gap_subject on tenant.gap (tenant_id, subject, from_ms);
create unique index gap_open on tenant.gap (tenant_id, series_id) nulls not distinct where to_ms is null;
select engine.make_tenant_table('tenant.gap');
