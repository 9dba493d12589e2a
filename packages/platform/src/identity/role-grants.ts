/**
 * What each role may do: data, read top to bottom; what is not written here is refused. docs/security/access.md shows it as a table,
 * and a test holds the two together.
 */
import { type Action, type AnyRole, type Resource, resources } from '@careloop/contract'

/**
 * About whom. `things`: assets and places. `own-patients`: patients to whom they are attached (care team, enrolment, open task,
 * break-glass, themselves, consent). Left out: it belongs to no subject, or it shows of a subject an opaque id only.
 */
export type About = 'things' | 'own-patients'

export interface Grant {
  readonly actions: readonly (Action | 'manage')[]
  readonly resources: readonly Resource[]
  readonly about?: About
}

const grant = (actions: Grant['actions'], resources: readonly Resource[], about?: About): Grant =>
  about === undefined ? { actions, resources } : { actions, resources, about }

/** What is charted of somebody or something. Of patients only who is attached to them reads any of it. */
export const charts = [
  ...['subject', 'enrolment', 'consent', 'reading', 'series', 'gap', 'alert', 'task', 'override', 'activity'],
  'person-account',
] as const satisfies readonly Resource[]

// ---------------------------------------------------------------- what several roles share

const seeFrame = grant(
  ['read'],
  ['live', 'team', 'shift', 'program', 'rule', 'silence', 'board', 'vocabulary', 'profile', 'site', 'care-team'],
)
const seeDevices = grant(['read'], ['device', 'gateway'])
/** Whoever handles work is told of it, and says for themselves that they have seen it (`act`). Whose it is, the room checks. */
const hearOfWork = grant(['read', 'act'], ['notification'])

const seeOf = (about: About): Grant[] => [
  grant(
    ['read'],
    ['subject', 'enrolment', 'reading', 'series', 'gap', 'alert', 'task', 'override', 'assignment'],
    about,
  ),
]
/**
 * Time spent is recorded by who spends it (create), and put right by them (update); never taken back by anybody: billing rests on
 * it. Facilities and biomed record theirs on things too, so that the worklist's timer is the same for all.
 */
const workOn = (about: About): Grant[] => [
  grant(['act', 'create', 'update'], ['task', 'alert'], about),
  grant(['read', 'create', 'update'], ['activity'], about),
]

/**
 * Devices of every kind of subject, patients' too: a broken cuff is taken off and replaced by who mends it, by opaque id, without a
 * name and without a reading.
 */
const runDevices = grant(
  ['create', 'read', 'update', 'delete', 'act'],
  ['device', 'gateway', 'certificate', 'credential', 'assignment', 'quarantine'],
)

/** Which kinds of review somebody sees follows from their roles: the room says so. */
const closeReviews = grant(['read', 'act'], ['review'])

/** Of things everybody at work knows: whether the vaccine is cold is no secret, and a nurse who passes may act on it. */
const clinician: readonly Grant[] = [
  seeFrame,
  seeDevices,
  hearOfWork,
  ...seeOf('own-patients'),
  ...seeOf('things'),
  ...workOn('own-patients'),
  ...workOn('things'),
  grant(['read'], ['consent'], 'own-patients'),
  // Accounts of the patient and of those who care for them: invited at the bedside, taken back there.
  grant(['read', 'create', 'delete'], ['person-account'], 'own-patients'),
  grant(['create', 'update'], ['subject', 'enrolment', 'assignment', 'reading'], 'own-patients'),
  grant(['create', 'update'], ['subject', 'enrolment', 'assignment', 'reading'], 'things'),
  // A patient outside one's teams, in an emergency: with a reason, for hours, told at once and reviewed.
  grant(['create', 'read', 'delete'], ['break-glass']),
  // Whose patients a team looks after follows from who is in it: the room lets clinicians change their own teams only.
  grant(['create', 'update'], ['care-team', 'silence']),
  // One patient's limit, with author, reason and end; the program's own limits are the physician's.
  grant(['create', 'update'], ['override'], 'own-patients'),
]

const keeper: readonly Grant[] = [seeFrame, seeDevices, hearOfWork, ...seeOf('things'), ...workOn('things')]

/** Everything that is set up, and nothing that is charted: who runs the server has no business with who is ill. */
const configured = resources.filter(
  // Nor do they read what they did themselves: the trail and assessments of it are for compliance.
  (resource) =>
    !(charts as readonly Resource[]).includes(resource) && !['break-glass', 'audit', 'breach'].includes(resource),
)

// ---------------------------------------------------------------- roles

export const roleGrants: Readonly<Record<AnyRole, readonly Grant[]>> = {
  nurse: clinician,
  physician: [
    ...clinician,
    grant(['create', 'update'], ['consent'], 'own-patients'),
    // Limits of patients' programs are a medical order. How cold a refrigerator must be is not theirs: an administrator's.
    grant(['create', 'update', 'act'], ['rule', 'program'], 'own-patients'),
  ],
  // What cold chain and cabinets are held to comes from outside (manufacturer, vaccine programme): who keeps the stock and the
  // building handles what happens, and does not move the limit that would tell on them. An administrator does.
  pharmacist: [
    ...keeper,
    grant(['create', 'update'], ['subject', 'enrolment'], 'things'),
    grant(['create'], ['reading'], 'things'),
  ],
  facilities: [
    ...keeper,
    grant(['create', 'update'], ['subject', 'enrolment', 'reading', 'assignment'], 'things'),
    grant(['create', 'update'], ['silence'], 'things'),
    grant(['create', 'read', 'delete'], ['display']),
  ],
  biomed: [...keeper, runDevices, closeReviews],
  administrator: [grant(['manage'], configured), grant(['manage'], charts, 'things')],
  // Oversees access and reads no chart: who looked at whom is told by opaque ids.
  compliance: [
    seeFrame,
    hearOfWork,
    closeReviews,
    grant(['read'], ['audit', 'user', 'service-token', 'app', 'system']),
    grant(['act'], ['audit']),
    grant(['read', 'create', 'act'], ['erasure', 'legal-hold', 'breach']),
  ],
  integrator: [
    seeFrame,
    runDevices,
    grant(['read'], ['system']),
    ...seeOf('things').map((each) => ({ ...each, resources: ['subject', 'series', 'alert', 'task'] as const })),
  ],
  // Themselves: `own-patients` of a patient is who they are, of a caregiver whoever lets them in.
  patient: [
    grant(['read'], ['live', 'vocabulary']),
    grant(['read'], ['subject', 'enrolment', 'consent', 'reading', 'series', 'gap'], 'own-patients'),
    grant(['create'], ['reading'], 'own-patients'),
    // What they said yes to, they take back themselves; to record one, somebody makes sure that it is them.
    grant(['update'], ['consent'], 'own-patients'),
  ],
  // Which of it they see, the patient's consent says.
  caregiver: [
    grant(['read'], ['live', 'vocabulary']),
    hearOfWork,
    grant(['read'], ['subject', 'reading', 'series', 'gap', 'alert'], 'own-patients'),
  ],
}
