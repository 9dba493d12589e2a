-- Clinical: windows of streams that wait to be summarised. A row is there from the first reading of a window until its summary is
-- written, and again when late readings come into it: who works through the log after a crash knows from it what is owed.

create table tenant.clinical_window (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  device_id uuid not null,
  signal text not null,
  subject_id uuid not null,
  from_ms bigint not null,            -- the window's beginning
  due_ms bigint not null,             -- storedAt of the log from which on it is summarised
  told int not null,                  -- readings of it that became an Observation each
  primary key (tenant_id, subject_id, device_id, signal, from_ms, due_ms)
);
select engine.make_tenant_table('tenant.clinical_window', 'select, insert, update, delete');
