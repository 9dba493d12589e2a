/** The page: who the patient is, and their newest vital signs. */
import { begin, finish, isBack, settings } from './smart.js'

const at = (id) => document.getElementById(id)
const say = (text) => {
  at('status').textContent = text
}

const nameOf = ({ name = [] }) => {
  const [first = {}] = name
  return first.text ?? [...(first.given ?? []), first.family].filter(Boolean).join(' ')
}

const number = ({ value, unit, code }) => `${value} ${unit ?? code ?? ''}`.trim()

function valueIn(observation) {
  if (observation.valueQuantity) return number(observation.valueQuantity)
  const parts = (observation.component ?? []).filter((each) => each.valueQuantity)
  return parts.map((each) => number(each.valueQuantity)).join(', ') || '–'
}

const labelOf = ({ code = {} }) =>
  code.text ?? code.coding?.find((each) => each.display)?.display ?? code.coding?.[0]?.code

function row(observation) {
  const tr = document.createElement('tr')
  const when = observation.effectiveDateTime ?? observation.effectivePeriod?.start
  for (const text of [
    labelOf(observation),
    valueIn(observation),
    when === undefined ? '' : new Date(when).toLocaleString(),
  ]) {
    const td = document.createElement('td')
    td.textContent = text
    tr.append(td)
  }
  return tr
}

async function show(session) {
  const patient = await session.read(`Patient/${session.patient}`)
  const found = await session.read(`Observation?patient=${session.patient}&category=vital-signs&_sort=-date&_count=20`)
  at('patient').textContent = nameOf(patient)
  at('user').textContent = `Opened by ${session.user.split('/').slice(-2).join('/')}`
  at('rows').replaceChildren(...(found.entry ?? []).map(({ resource }) => row(resource)))
  at('shown').hidden = false
  say(`Measurements: ${found.entry?.length ?? 0}`)
}

async function start() {
  const { client, fhir } = await settings()
  at('begin').addEventListener('click', () => begin({ client, fhir }).catch((error) => say(error.message)))
  if (!isBack()) {
    say('Nobody is chosen yet.')
    at('begin').hidden = false
    return
  }
  const session = await finish()
  at('renew').addEventListener('click', () =>
    session
      .renew()
      .then(() => show(session))
      .catch((error) => say(error.message)),
  )
  await show(session)
}

start().catch((error) => {
  at('begin').hidden = false
  say(error.message)
})
