import { Counter, Gauge, type Registry } from 'prom-client'

/** What operators read of it, without labels, so nothing of anybody; the same ones when asked again for the same registry. */
export function observationMetrics(registry: Registry) {
  const known = (name: string) => registry.getSingleMetric(name)
  const [made, behind] = ['careloop_clinical_observations_total', 'careloop_clinical_behind_seconds'] as const
  const aside = 'careloop_clinical_observations_set_aside_total'
  const registers = [registry]
  return {
    made:
      (known(made) as Counter | undefined) ??
      new Counter({ name: made, help: 'Resources written of readings, with their Provenance', registers }),
    behind:
      (known(behind) as Gauge | undefined) ??
      new Gauge({ name: behind, help: 'Age of the newest readings when they were in the clinical record', registers }),
    setAside:
      (known(aside) as Counter | undefined) ??
      new Counter({
        name: aside,
        help: 'People, messages and resources of readings that could not be put into the record. More than none wants somebody to read the log.',
        registers,
      }),
  }
}
