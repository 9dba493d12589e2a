-- Who may see one patient beside what their care teams give: whoever has a task to do, whoever broke the glass, the patient
-- themselves, whoever the patient lets in. A row is open until it is ended or its time has come; it is never deleted, so that
-- one can say afterwards who could have looked.
create table tenant.sight_grant (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  subject_id uuid not null,
  user_id text not null,
  why text not null check (why in ('task', 'break-glass', 'self', 'consent')),
  source_id text not null,            -- the task, the break-glass, the account or the consent that it comes from
  from_at bigint not null,
  until_at bigint,                    -- null = until it is ended
  ended_at bigint,                    -- may lie a minute ahead: whoever completes a task can take that back
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id),
  check (until_at is null or until_at > from_at)
);
create unique index sight_grant_once on tenant.sight_grant (tenant_id, why, source_id, user_id, subject_id) where ended_at is null;
create index sight_grant_of on tenant.sight_grant (tenant_id, user_id, ended_at);
create index sight_grant_subject on tenant.sight_grant (tenant_id, subject_id, from_at);
select engine.make_tenant_table('tenant.sight_grant', 'select, insert, update');

-- What somebody is attached to is asked at every request of a clinician.
create index care_team_member_user on tenant.care_team_member (tenant_id, user_id, team_id);
create index enrolment_owner on tenant.enrolment (tenant_id, owner_id);
create index enrolment_backup on tenant.enrolment (tenant_id, backup_id) where backup_id is not null;
