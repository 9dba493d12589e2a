/** The built-in certificate authority: part of fleet, entered by fleet's door. */
export { type CertificateAuthority, ensureCa } from './authority.ts'
export {
  type DeviceByCertificate,
  type DeviceCertificate,
  type DeviceCertificateWanted,
  issueDeviceCertificate,
  verifyDeviceCertificate,
} from './device-certificate.ts'
export { caErrors } from './errors.ts'
export {
  issueServerCertificate,
  type KeptServerCertificate,
  keepServerCertificate,
  type ServerCertificate,
} from './server-certificate.ts'
