import { elementAt } from '../definitions/index.ts'

/** What an element is made of, for a reader that starts there: `Questionnaire.useContext` is a `UsageContext`. */
export const contentOf = (path: string): string => elementAt(path)?.type.content ?? path
