/** A patient's page opens the app here, with the server (`iss`) and what stands for the patient (`launch`). */
import { begin, settings } from './smart.js'

const asked = new URLSearchParams(location.search)
const { client, fhir } = await settings()
const status = document.getElementById('status')
// Whoever links here may name any server: only ours is asked for anything.
if (asked.get('iss')?.replace(/\/$/, '') !== fhir) status.textContent = 'This app does not work with that server.'
else
  await begin({ client, fhir, launch: asked.get('launch') ?? undefined }).catch(
    (error) => (status.textContent = error.message),
  )
