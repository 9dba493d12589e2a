/**
 * Sentences of the safety file that people are shown. They stand here once: docs/safety/intended-use.md quotes them, and a test
 * holds document, pages and server to the same words.
 */

/** Shown, and to be confirmed by a named person, whenever a program with a rule on vital signs is activated. */
export const vitalSignNotice =
  'Careloop is not a primary alarm and not for active patient monitoring. ' +
  'It supports the review of measurements by the care team: an alert may come late or not at all, ' +
  'and that there is none does not mean that the patient is well. ' +
  'A patient with symptoms calls the emergency number and does not wait for a call.'

/** Whether a rule of this nature watches vital signs of a person, so that `vitalSignNotice` is shown when it is activated. */
export const watchesVitalSigns = (rule: { readonly nature: string }): boolean => rule.nature === 'physiological'
