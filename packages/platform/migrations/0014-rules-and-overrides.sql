-- Limits of one subject, rules edited here, what re-arms a closed alert, and the evaluator's hearing: docs/adr/0009.

-- A limit of one rule set for one subject. The limits and the reason are sealed under the subject's key: they are a statement of
-- a person's health. Rows are never changed but for being ended, since alerts name the one that stood.
create table tenant.rule_override (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  subject_id uuid not null,
  rule_id uuid not null,
  key_id uuid not null,
  body bytea not null,                -- sealed JSON: limits as entered and in canonical units, reason
  author text not null,               -- actor as in the audit trail
  created_at bigint not null,
  expires_at bigint not null,
  ended_at bigint,                    -- null = stands; what expired is ended within a minute
  ended_by text,
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id),
  foreign key (tenant_id, rule_id) references tenant.rule (tenant_id, id),
  check (expires_at > created_at),
  check ((ended_at is null) = (ended_by is null))
);
create unique index rule_override_stands on tenant.rule_override (tenant_id, subject_id, rule_id) where ended_at is null;
create index rule_override_expires on tenant.rule_override (tenant_id, expires_at) where ended_at is null;
create index rule_override_of on tenant.rule_override (tenant_id, subject_id, created_at);
select engine.make_tenant_table('tenant.rule_override', 'select, insert, update (ended_at, ended_by)');

-- A rule that was edited here keeps its edits when a program file is activated again; a rule that somebody switched off stays off.
alter table tenant.rule
  add column file_sha256 bytea,       -- of the definition in the program file that was activated last; null = before this was kept
  add column file_definition jsonb,   -- that definition: what taking the file's version over takes
  add column edited boolean not null default false,
  add column switched_off boolean not null default false,
  add column unreachable_since bigint; -- nobody has its owner's or backup's role; checked every hour

-- Who changed a rule, and why (free text, sealed under the tenant's key).
create table tenant.rule_change (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  rule_id uuid not null,
  id bigint generated always as identity,
  what text not null check (what in ('edited', 'activated', 'deactivated', 'file-taken')),
  version int not null,
  at bigint not null,
  actor text not null,
  key_id uuid,
  reason bytea,
  primary key (tenant_id, rule_id, id),
  foreign key (tenant_id, rule_id) references tenant.rule (tenant_id, id),
  check ((reason is null) = (key_id is null))
);
select engine.make_tenant_table('tenant.rule_change', 'select, insert');

alter table tenant.alert add column override_id uuid; -- the limit of this subject that stood when it was raised

alter table tenant.alert_event
  add column rearm text check (rearm in ('worse', 'time')), -- of `closed` while the condition stood; null = until cleared
  add column rearm_at bigint,
  add constraint alert_event_rearm check ((rearm_at is not null) = (coalesce(rearm, '') = 'time'));
alter table tenant.alert_event drop constraint alert_event_what_check;
alter table tenant.alert_event add constraint alert_event_what_check check (what in
  ('raised', 'cleared', 'recurred', 'evidence-changed', 'found-late', 'wrong-subject', 'right-subject', 'acknowledged', 'closed',
   'reopened'));

-- What the evaluator knows of doors and connections, as of `position`: absence clocks run only while a door could hear.
alter table engine.evaluator_partition add column hearing jsonb;
