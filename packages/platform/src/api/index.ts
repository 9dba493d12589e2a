/** The HTTP shell: serves every room's routes behind one guard. */
export { apiErrors } from './errors.ts'
export { openApiDocument } from './openapi.ts'
export type { ApiParts, Readiness } from './parts.ts'
export { type ApiServer, makeApiServer } from './server.ts'
export { certificateEnd, readTlsFiles } from './tls-files.ts'
export { noncePlaceholder } from './web-app.ts'
