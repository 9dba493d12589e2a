import { Counter, Gauge, type Registry } from 'prom-client'

/** Telemetry's metrics; the same ones when asked again for the same registry. */
export function telemetryMetrics(registry: Registry) {
  const counter = (name: string, help: string): Counter =>
    (registry.getSingleMetric(name) as Counter | undefined) ?? new Counter({ name, help, registers: [registry] })
  const gauge = (name: string, help: string): Gauge =>
    (registry.getSingleMetric(name) as Gauge | undefined) ?? new Gauge({ name, help, registers: [registry] })
  return {
    stored: counter('careloop_telemetry_readings_total', 'Readings taken from the log into open segments'),
    sealed: counter('careloop_telemetry_sealed_readings_total', 'Readings sealed into chunks'),
    sealedBytes: counter('careloop_telemetry_sealed_bytes_total', 'Bytes of chunks and rollups written'),
    repeats: counter('careloop_telemetry_repeats_total', 'Readings that were stored before, exactly: not stored again'),
    moved: counter('careloop_telemetry_moved_readings_total', 'Readings moved by corrected assignments'),
    erased: counter('careloop_telemetry_erased_readings_total', 'Readings let go because their subject was erased'),
    cut: counter('careloop_telemetry_cut_commits_total', 'Commits that the log lost before telemetry took them'),
    retired: counter('careloop_telemetry_retired_chunks_total', 'Raw chunks deleted by retention'),
    behind: gauge('careloop_telemetry_behind_seconds', 'Age of the newest commit that telemetry has stored'),
  }
}
