/** The addresses another system needs, and the ways to be let in. */
import { Link } from '@tanstack/react-router'
import { fhirBase } from '../../api/fhir.ts'
import { useMay } from '../../app/session.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import classes from './developers.module.css'

const addresses = [
  ['FHIR R4 base', fhirBase],
  ['What it can', `${fhirBase}/metadata`],
  ['SMART configuration', `${fhirBase}/.well-known/smart-configuration`],
  ['Bulk export', `${fhirBase}/$export`],
  ['The other interface (OpenAPI)', '/api/openapi.json'],
] as const

export function ConnectPart() {
  return (
    <>
      <Section title="Addresses">
        <dl className={classes.addresses}>
          {addresses.map(([name, path]) => (
            <Address key={path} name={name} url={`${location.origin}${path}`} />
          ))}
        </dl>
      </Section>
      <Section title="Ways to be let in">
        <Ways />
      </Section>
    </>
  )
}

const Address = ({ name, url }: { name: string; url: string }) => (
  <>
    <dt>{name}</dt>
    <dd>
      <code>{url}</code> <CopyButton text={url} what={name} />
    </dd>
  </>
)

function Ways() {
  const mayTokens = useMay('read', 'service-token')
  return (
    <ul className={rows.rows}>
      <li className={rows.row}>
        <div className={rows.what}>
          An app that people use: SMART App Launch, with PKCE
          <div className={rows.soft}>
            It sees what the person sees, and of it what they allow. An administrator registers it under{' '}
            <Link to="/apps" className={rows.link!}>
              Apps
            </Link>
            .
          </div>
        </div>
      </li>
      <li className={rows.row}>
        <div className={rows.what}>
          A server without people: SMART Backend Services, a key of its own (RS384 or ES384)
          <div className={rows.soft}>Registered with the address of its JWKS. It gets whom patients consented to.</div>
        </div>
      </li>
      <li className={rows.row}>
        <div className={rows.what}>
          A program of your own organisation: a service token
          <div className={rows.soft}>
            {mayTokens ? 'Made by ' : 'An administrator makes one by '}
            <code>careloop token create</code>.
          </div>
        </div>
      </li>
    </ul>
  )
}
