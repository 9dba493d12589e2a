/** Rules of the kill story: short enough that their timers come due while things are being killed. */
import { type Program, parseProgram } from '@careloop/rules'

const answered = { owner: 'nurse', backup: 'physician' }

/**
 * A silence is told of one device after so long. A program file must say a minute at least; a story has no such time. The grace of
 * a minute after each start of a server stays as it is. Many times the pace of a probe that speaks.
 */
export const SILENT_AFTER_MS = 10_000
/** A condition that stands so long raises by a timer, with nothing measured then. */
const HELD_MS = 5_000
/** The backup is told when nobody acts within this, and half of it later everybody of the owner's role. */
const LIMIT_MS = 12_000

/** `kill-timers`: `held` raises when its hold runs out; `unanswered` raises at once, and escalates by timers. */
export const killTimers: Program = program('kill-timers', [
  {
    ...{ rule: 'held', title: 'Heart rate high for a while', when: 'heart-rate > 150 /min' },
    ...{ hold: { for: `${HELD_MS} ms` }, reading_valid_for: '60 min', limit: '72 h' },
    ...{ value: '{heart-rate}', unit: '/min', sentence: 'Heart rate {heart-rate}/min since {since}' },
  },
  {
    ...{ rule: 'unanswered', title: 'Breathing fast', when: 'respiratory-rate > 40 /min', limit: `${LIMIT_MS} ms` },
    ...{ value: '{respiratory-rate}', unit: '/min', sentence: 'Respiratory rate {respiratory-rate}/min' },
  },
])

/** `kill-silence`: each probe of a subject has a clock of its own. */
export const killSilence: Program = impatient(
  program('kill-silence', [
    {
      ...{ rule: 'silent', title: 'Probe silent', nature: 'technical', per: 'device', limit: '72 h' },
      ...{ absence: { of: ['temperature-probe'], for: '1 min' } },
      ...{ value: '{for}', unit: '', sentence: 'Probe silent for {for}' },
    },
  ]),
)

function impatient(silence: Program): Program {
  const rules = silence.rules.map((rule) =>
    rule.body.kind === 'absence' ? { ...rule, body: { ...rule.body, afterMs: SILENT_AFTER_MS } } : rule,
  )
  return { ...silence, rules }
}

/** JSON is YAML: it goes the way of a program file. */
function program(name: string, rules: readonly object[]): Program {
  const whole = rules.map((rule) => ({
    ...{ priority: 'medium', nature: 'physiological', why: 'A story needs it.', action: 'Look.' },
    ...answered,
    ...rule,
  }))
  return parseProgram(
    JSON.stringify({
      program: name,
      title: name,
      subject: 'patient',
      use: 'Stories.',
      notice: 'Stories.',
      rules: whole,
    }),
    `${name}.yaml`,
  )
}
