-- What a person allowed or forbade: FHIR Consents, every version kept, and what an organisation says of itself.
-- In the clear stand opaque ids, the kind of grantee, the state and times. What is shared (classes, purposes, permit or deny) and the
-- label of 42 CFR Part 2 stand in the sealed body only: the label alone would tell that somebody is treated for substance use.

create table tenant.consent (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  subject_id uuid not null,
  grantee_kind text not null check (grantee_kind in ('caregiver', 'integration', 'research', 'treatment')),
  grantee_id text,                    -- account, service token or study; opaque
  status text not null check (status in ('active', 'inactive', 'entered-in-error')),
  from_at bigint not null,
  until_at bigint,                    -- null = until it is withdrawn; half-open [from_at, until_at)
  ended_at bigint,                    -- when it was withdrawn, or marked as an error
  version int not null,
  recorded_at bigint not null,
  recorded_by text not null,          -- actor as in the audit trail
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id),
  check (until_at is null or until_at > from_at),
  check ((grantee_id is null) = (grantee_kind = 'treatment')),
  check ((status = 'active') = (ended_at is null))
);
create index consent_of on tenant.consent (tenant_id, subject_id, id);
create index consent_to on tenant.consent (tenant_id, grantee_kind, grantee_id);
select engine.make_tenant_table('tenant.consent', 'select, insert, update');

create table tenant.consent_version (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  consent_id uuid not null,
  version int not null,
  at bigint not null,
  actor text not null,
  key_id uuid not null,               -- the subject's
  body bytea not null,                -- sealed FHIR R4 Consent
  reason bytea,                       -- sealed: why it was withdrawn
  primary key (tenant_id, consent_id, version),
  foreign key (tenant_id, consent_id) references tenant.consent (tenant_id, id)
);
select engine.make_tenant_table('tenant.consent_version', 'select, insert');

-- One row an organisation; none = it holds nothing under Part 2, and no program of others is its own.
create table tenant.consent_setting (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  holds_part2 boolean not null,
  own_services uuid[] not null,       -- service tokens that work for the organisation itself
  changed_at bigint not null,
  primary key (tenant_id)
);
select engine.make_tenant_table('tenant.consent_setting', 'select, insert, update');

-- What went to somebody outside, for the accounting of disclosures (45 CFR 164.528). One row for each person whose data it was.
create table tenant.disclosure (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  subject_id uuid not null,
  at bigint not null,
  recipient_kind text not null check (recipient_kind in ('caregiver', 'integration', 'research', 'court', 'other')),
  recipient_id text,                  -- opaque
  purpose text not null,              -- code of v3 ActReason
  consent_id uuid,                    -- which allowed it; null = the law did
  actor text not null,
  request_id text,
  key_id uuid not null,
  what bytea not null,                -- sealed: what was told, its labels, the court's order, a recipient's name
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id)
);
create index disclosure_of on tenant.disclosure (tenant_id, subject_id, at);
select engine.make_tenant_table('tenant.disclosure', 'select, insert');

-- Nobody is told any more of what they may no longer see.
alter table tenant.notification_intent drop constraint notification_intent_cancelled_check;
alter table tenant.notification_intent add constraint notification_intent_cancelled_check
  check (cancelled in ('acknowledged', 'completed', 'passed', 'no-address', 'replaced', 'no-consent'));
