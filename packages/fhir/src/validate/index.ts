export { defaultProfileOf, supportedProfiles } from './profiles/select.ts'
export { type ValidateOptions, validate } from './validate.ts'
