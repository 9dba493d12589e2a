-- What an office has to look at besides clinical work, and emergency access. Plain columns hold opaque ids, codes and times only.

-- One thing to look at: somebody broke the glass, a device is suspicious. Opened by a fact, once.
create table tenant.review (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  kind text not null check (kind ~ '^[a-z][a-z-]{1,40}$'),
  source_id text not null,            -- what it is about, by its kind: the same is opened once
  about_subject uuid,
  about_device uuid,
  about_user text,
  reason text,                        -- a code; null = the kind says it all
  for_role text not null,             -- who closes it
  priority text not null check (priority in ('high', 'medium', 'low')),
  opened_at bigint not null,
  due_at bigint not null,
  status text not null check (status in ('open', 'claimed', 'closed')),
  claimed_by text,
  claimed_at bigint,
  closed_by text,
  closed_at bigint,
  outcome_code text,
  key_id uuid,
  outcome bytea,                      -- sealed: the note
  version int not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, about_subject) references tenant.subject (tenant_id, id),
  check ((claimed_by is null) = (claimed_at is null)),
  check (status <> 'claimed' or claimed_by is not null),
  check ((status = 'closed')
    = (closed_by is not null and closed_at is not null and outcome_code is not null and outcome is not null)),
  check ((outcome is null) = (key_id is null))
);
create unique index review_once on tenant.review (tenant_id, kind, source_id);
create index review_todo on tenant.review (tenant_id, status, due_at, id);
select engine.make_tenant_table('tenant.review', 'select, insert, update');

-- Notifications tell of a task or of a review. Forced row-level security holds the owner of the tables too, who is no superuser on
-- an external server, and a new foreign key is proved by a query: a migration works for no tenant.
alter table tenant.review no force row level security;
alter table tenant.notification_intent no force row level security;
alter table tenant.notification_intent
  alter column task_id drop not null,
  alter column event_id drop not null,
  add column review_id uuid,
  drop constraint notification_intent_why_check,
  add constraint notification_intent_why_check check (why in
    ('raised', 'recurred', 'reminder', 'overdue', 'handed-off', 'undelivered', 'evidence-changed',
     'review-opened', 'review-overdue', 'access-taken')),
  add constraint notification_intent_of_review foreign key (tenant_id, review_id) references tenant.review (tenant_id, id),
  add constraint notification_intent_about check ((review_id is null) = (task_id is not null and event_id is not null)),
  add constraint notification_intent_either check (review_id is null or (task_id is null and event_id is null));
alter table tenant.notification_intent force row level security;
alter table tenant.review force row level security;
create unique index notification_intent_once_of_review
  on tenant.notification_intent (tenant_id, review_id, recipient, channel, why) where review_id is not null;

-- Emergency access to one patient: who, why, until when. What they may see by it stands in sight_grant, with this id as source.
create table tenant.break_glass (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  subject_id uuid not null,
  user_id text not null,
  reason text not null check (reason in ('emergency', 'covering', 'unconscious', 'other')),
  opened_at bigint not null,
  until_at bigint not null,
  ended_at bigint,                    -- given back early
  key_id uuid not null,               -- the patient's
  words bytea not null,               -- sealed: the reason in their own words
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id),
  check (until_at > opened_at)
);
create index break_glass_of_user on tenant.break_glass (tenant_id, user_id, until_at);
select engine.make_tenant_table('tenant.break_glass', 'select, insert, update');

-- Attempts that found no one patient: what was asked for stands in the audit trail, sealed. Counted, so that nobody tries names.
create table tenant.break_glass_miss (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  user_id text not null,
  at bigint not null,
  primary key (tenant_id, id)
);
create index break_glass_miss_of on tenant.break_glass_miss (tenant_id, user_id, at);
select engine.make_tenant_table('tenant.break_glass_miss', 'select, insert');

-- What the organisation decided: one row.
create table tenant.break_glass_setting (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  hours int not null check (hours between 1 and 12),
  version int not null,
  primary key (tenant_id)
);
select engine.make_tenant_table('tenant.break_glass_setting', 'select, insert, update');
