-- Identity: who came by their organisation's provider and then passes our own second factor keeps what ties the session to the
-- provider, so that a sign-out there ends it and a sign-out here leads there; and proof again at the provider, for one session.

-- As in auth.sso_session, until there is a session; all null = the sign-in began with a password.
alter table auth.challenge
  add column sso_tenant_id uuid references engine.tenant (id) on delete cascade,
  add column sso_issuer text,
  add column sso_subject text,
  add column sso_sid text,
  add column sso_id_token bytea, -- sealed under ('auth', 'sso'), bound to this challenge
  add check ((sso_tenant_id is null) = (sso_id_token is null)
    and (sso_tenant_id is null) = (sso_issuer is null) and (sso_tenant_id is null) = (sso_subject is null));
create index challenge_sso on auth.challenge (sso_tenant_id) where sso_tenant_id is not null;

alter table auth.sso_attempt
  -- The session whose person shows at the provider again who they are; null = somebody signs in, or tries the settings.
  add column proves_session uuid references auth.session (id) on delete cascade;

alter table auth.sso_identity
  -- The account went to whoever was given its address: this person of the provider opens nothing, until a verified e-mail links them anew.
  add column retired_at timestamptz;
