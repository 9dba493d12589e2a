-- On which civil days something was measured, by device and origin: what billing counts, and what cannot be told afterwards.

-- The zones of subjects who moved, since when. A date is derived by the zone of its time: a move changes nothing of what was.
-- Whoever never moved has no row: the zone of the subject's own row held always.
create table tenant.subject_zone (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  subject_id uuid not null,
  since bigint not null,              -- 0 = from the beginning
  time_zone text not null,
  primary key (tenant_id, subject_id, since),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id)
);
select engine.make_tenant_table('tenant.subject_zone', 'select, insert, update');

create function engine.keep_zone() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  insert into tenant.subject_zone (tenant_id, subject_id, since, time_zone)
    values (new.tenant_id, new.id, 0, old.time_zone) on conflict do nothing;
  insert into tenant.subject_zone (tenant_id, subject_id, since, time_zone)
    values (new.tenant_id, new.id, new.updated_at, new.time_zone)
    on conflict (tenant_id, subject_id, since) do update set time_zone = excluded.time_zone;
  return null;
end $$;
create trigger keep_zone after update on tenant.subject for each row
  when (old.time_zone is distinct from new.time_zone) execute function engine.keep_zone();

create table tenant.measurement_day (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  subject_id uuid not null,
  device_id uuid not null,
  origin text not null check (origin in ('automatic', 'typed', 'ehr')),
  local_date text not null,           -- YYYY-MM-DD
  time_zone text not null,            -- that the date was derived by
  first_measured_at bigint not null,
  clock_suspect boolean not null,     -- every reading of that day came from a clock that was not set, or ran ahead
  primary key (tenant_id, subject_id, local_date, device_id, origin)
);
create index measurement_day_of_device on tenant.measurement_day (tenant_id, device_id, first_measured_at);
select engine.make_tenant_table('tenant.measurement_day');
