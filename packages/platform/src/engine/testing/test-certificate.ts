/** A certificate for a server of a test, signed by itself: it is its own authority. */
import { webcrypto } from 'node:crypto'
// The library refuses to load without this polyfill.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

export async function testCertificate(name: string): Promise<{ key: string; cert: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const cert = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...{ name: `CN=${name}`, keys, signingAlgorithm: algorithm, serialNumber: '01' },
      notBefore: new Date('2020-01-01'),
      notAfter: new Date('2080-01-01'),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      ],
    },
    webcrypto,
  )
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { key: x509.PemConverter.encode(key, 'PRIVATE KEY'), cert: cert.toString('pem') }
}
