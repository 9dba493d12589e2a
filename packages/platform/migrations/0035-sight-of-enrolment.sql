-- Whoever is handed a task, or told of it, is of the team of its program while it is open, and of no other program of the same
-- patient (42 CFR Part 2). Null = sight that names no program: emergency access, an account, a consent, a task that somebody took
-- themselves. Tasks that were open before show what they showed, without what Part 2 protects.
alter table tenant.sight_grant add column enrolment_id uuid;
