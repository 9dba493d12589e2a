-- What FHIR shows as meta.lastUpdated of a view is when its owner changed it, so that a view made again is the same to the byte.
-- Where nothing said so until now, 0 stands for "when it was made".

alter table tenant.device add column changed_at bigint not null default 0;
alter table tenant.care_team add column changed_at bigint not null default 0;
alter table tenant.enrolment add column changed_at bigint not null default 0;

-- Once written by FHIR, a resource is given back as it was sent: nothing of ours is added to it.
alter table tenant.subject add column by_fhir boolean not null default false;

-- Staff are written by several statements, and their times are the database's as created_at is.
alter table auth.member add column changed_at timestamptz not null default now();
update auth.member set changed_at = coalesce(ended_at, created_at);
create function auth.note_member_change() returns trigger language plpgsql as $$
begin
  new.changed_at := now();
  return new;
end $$;
create trigger member_changed before update on auth.member
  for each row when (old.* is distinct from new.*) execute function auth.note_member_change();
