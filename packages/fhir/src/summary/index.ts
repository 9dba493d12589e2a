export { type SummaryMode, summarised, withElements } from './summary.ts'
