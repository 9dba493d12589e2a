export { applyPatch, jsonPatchType, patchJson } from './patch.ts'
