-- Identity: accounts of patients and caregivers. Nothing that tells who they are stands here in clear: auth.user carries opaque
-- text, the login is an HMAC, contact and name are sealed. Schema `auth`: identity only.

alter table auth.member drop constraint member_roles_check1;
alter table auth.member add constraint member_roles_known check (roles <@ array[
  'nurse','physician','facilities','pharmacist','biomed','administrator','compliance','integrator','patient','caregiver']);
-- Whoever is a patient or caregiver is nothing else under the same account.
alter table auth.member add constraint member_person_alone
  check (not roles && array['patient','caregiver'] or cardinality(roles) = 1);

create table auth.person_account (
  id uuid primary key,
  tenant_id uuid not null references engine.tenant (id),
  subject_id uuid not null,                   -- whose chart it was made at
  kind text not null check (kind in ('patient', 'caregiver')),
  relationship bytea,                         -- sealed, of a caregiver
  -- the invitation on paper
  code_sha256 bytea unique check (length(code_sha256) = 32), -- null = used or over
  birth_hmac bytea not null check (length(birth_hmac) = 32), -- of the patient's date of birth and this row's id
  wrong_answers int not null default 0,
  invited_by text not null,                   -- actor
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- the account
  user_id uuid unique references auth.user (id),
  login_hmac bytea unique check (length(login_hmac) = 32), -- of the normalised e-mail or telephone, under the installation's key
  login bytea,                                -- sealed; a patient's under the subject's key, a caregiver's under its own
  name bytea,                                 -- sealed likewise; of a caregiver
  activated_at timestamptz,
  ended_at timestamptz,
  check ((user_id is null) = (activated_at is null))
);
create index person_account_subject on auth.person_account (tenant_id, subject_id);
