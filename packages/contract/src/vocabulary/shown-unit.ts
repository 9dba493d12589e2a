/** Units as people read them: on pages and in the sentences of rules, alike. */
const shownUnits: Readonly<Record<string, string>> = {
  'mm[Hg]': 'mmHg',
  Cel: '°C',
  '/min': '/min',
  '[ppm]': 'ppm',
  '1': '',
  '{dBm}': 'dBm',
}

/** A UCUM code as people read it. */
export const shownUnit = (ucum: string): string => shownUnits[ucum] ?? ucum.replace(/[[\]{}]/g, '')
