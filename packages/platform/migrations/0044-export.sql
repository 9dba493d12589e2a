-- Bulk Data: exports of the record as NDJSON files in sealed blobs. Opaque ids, types, codes, counts and times in plain.

create table tenant.export_job (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  actor text not null,                -- staff:<id> or service:<id>
  app_id uuid,                        -- the app in whose name they asked
  scope text not null check (scope in ('system', 'patient', 'group')),
  status text not null check (status in ('accepted', 'running', 'complete', 'failed', 'cancelled')),
  error text,                         -- why it failed, a code
  at bigint not null,                 -- transactionTime, ms
  xid bigint not null,                -- it begins when every transaction before this one has ended
  since bigint,                       -- _since, ms
  max_seq bigint,                     -- of the resources that were there; null = not begun
  seq bigint not null default 0,      -- read up to here
  resources bigint not null default 0,
  attempt bigint not null default 0,  -- grows with each worker: a late one writes nothing
  tries int not null default 0,       -- workers since the last page
  finished_at bigint,
  expires_at bigint,
  blob_key_id uuid not null,          -- destroyed at its end: no file of it can be read any more
  key_id uuid not null,
  body bytea not null,                -- sealed: what was asked, in whose name
  primary key (tenant_id, id)
);
create index export_job_actor on tenant.export_job (tenant_id, actor);
select engine.make_tenant_table('tenant.export_job');

create table tenant.export_file (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  job_id uuid not null,
  number int not null,
  kind text not null check (kind in ('output', 'deleted')),
  type text not null,
  count int not null,
  ref text not null,                  -- blob
  primary key (tenant_id, job_id, number),
  foreign key (tenant_id, job_id) references tenant.export_job (tenant_id, id) on delete cascade
);
select engine.make_tenant_table('tenant.export_file');

-- Whose data stands in the files of a job: for their accounting, and so that they can be erased.
create table tenant.export_subject (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  job_id uuid not null,
  subject_id uuid not null,
  disclosed_at bigint,                -- when a file that holds them was first fetched from outside
  primary key (tenant_id, job_id, subject_id),
  foreign key (tenant_id, job_id) references tenant.export_job (tenant_id, id) on delete cascade
);
create index export_subject_of on tenant.export_subject (tenant_id, subject_id);
select engine.make_tenant_table('tenant.export_subject');
