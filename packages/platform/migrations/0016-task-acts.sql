-- What people do with tasks besides taking and completing them, and the time that they spend on it.

alter table tenant.task add column snoozed_until bigint;          -- shown as put off until then; escalation goes on
-- How far it was escalated: 0 = owner only, 1 = backup, 2 = everybody of the owner's role.
alter table tenant.task add column if not exists escalation int not null default 0;

alter table tenant.task_event drop constraint task_event_what_check;
alter table tenant.task_event add constraint task_event_what_check check (what in
  ('opened', 'recurred', 'evidence-changed', 'claimed', 'acknowledged', 'released', 'snoozed', 'handed-off', 'escalated',
   'completed', 'reopened'));
alter table tenant.task_event add column if not exists to_staff text[] not null default '{}'; -- who has it now, or was told
alter table tenant.task_event add column taken_from text;         -- of a claim past the time limit: who had it until then
alter table tenant.task_event add column key_id uuid;
alter table tenant.task_event add column detail bytea;            -- sealed: the note of a hand-off, the outcome that was taken back
alter table tenant.task_event add constraint task_event_sealed check ((detail is null) = (key_id is null));

alter table tenant.alert_event drop constraint alert_event_what_check;
alter table tenant.alert_event add constraint alert_event_what_check check (what in
  ('raised', 'cleared', 'recurred', 'evidence-changed', 'found-late', 'wrong-subject', 'right-subject', 'acknowledged', 'released',
   'closed', 'reopened'));

-- What staff did for whom, from when to when: docs/activity.md. What it was (kind, contact, note) is coded content of a person's
-- record and sealed; times stand under opaque ids, as those of tasks do.
create table tenant.activity (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,                   -- made by the page: a repeat changes nothing
  subject_id uuid not null,
  task_id uuid,
  staff_id text not null,             -- who did it
  recorded_by text not null,          -- who wrote it down; another than staff_id in a correction by an administrator
  from_at bigint not null,
  to_at bigint not null,
  source text not null check (source in ('worklist', 'subject-page', 'entered')),
  ended boolean not null,
  heard_at bigint not null,           -- when its page last told of it
  local_date text not null,           -- civil date of from_at in time_zone
  time_zone text not null,            -- of the subject, at from_at
  key_id uuid not null,
  body bytea not null,                -- sealed: kind, contact, note, reason of a correction
  corrects uuid,
  corrected_by uuid,                  -- the entry that counts in its stead
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id),
  foreign key (tenant_id, task_id) references tenant.task (tenant_id, id),
  foreign key (tenant_id, corrects) references tenant.activity (tenant_id, id),
  check (to_at >= from_at and to_at - from_at <= 28800000)
);
create index activity_of_subject on tenant.activity (tenant_id, subject_id, from_at);
create index activity_of_staff on tenant.activity (tenant_id, staff_id, from_at);
create unique index activity_corrects on tenant.activity (tenant_id, corrects) where corrects is not null;
select engine.make_tenant_table('tenant.activity', 'select, insert, update (to_at, ended, heard_at, key_id, body, corrected_by)');

-- Billing rests on it: what has ended stays as it is, whatever the code above says. It can only be pointed away from.
create function engine.activity_stays() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  if old.ended and (old.to_at, old.ended, old.heard_at, old.key_id, old.body)
       is distinct from (new.to_at, new.ended, new.heard_at, new.key_id, new.body) then
    raise exception 'an ended activity does not change' using errcode = 'check_violation';
  end if;
  if old.corrected_by is not null and new.corrected_by is distinct from old.corrected_by then
    raise exception 'an activity is corrected once' using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger activity_stays before update on tenant.activity for each row execute function engine.activity_stays();
