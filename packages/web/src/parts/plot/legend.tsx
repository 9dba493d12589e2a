/** Below a chart: what the cursor or the last reading says, what colours and hatching mean, whose time zone it is. */
import { useNow } from '../../app/clock.ts'
import { agoText, momentText, viewerZone } from '../words.ts'
import { gapReasonsOf, gapWords, notesAt, type PlotModel, readTimesOf, valuesAt } from './model.ts'
import classes from './plot.module.css'

export function PlotLegend({ model, at }: { model: PlotModel; at: number | undefined }) {
  return (
    <figcaption className={classes.caption}>
      <Read model={model} at={at} />
      <span className={classes.keys}>
        <Lines model={model} />
        {[...new Map((model.spans ?? []).map((span) => [span.label, span])).values()].map(
          ({ label, priority, isTechnical }) =>
            label === undefined ? null : (
              <span key={label} className={classes.spanKey} data-kind={isTechnical ? 'technical' : priority}>
                {label}
              </span>
            ),
        )}
        {gapReasonsOf(model).map((reason) => (
          <span key={reason} className={classes.gapKey} data-reason={reason}>
            {gapWords[reason]}
          </span>
        ))}
        {[...new Set(model.states?.map(({ label }) => label))].map((label) => (
          <span key={label} className={classes.stateKey}>
            {label}
          </span>
        ))}
        <span>Times in {viewerZone}</span>
      </span>
    </figcaption>
  )
}

function Read({ model, at }: { model: PlotModel; at: number | undefined }) {
  const now = useNow()
  const last = readTimesOf(model).at(-1)
  // Read out only what a person walked to: an age that grows each second is no news.
  if (at !== undefined)
    return (
      <span className={classes.read} aria-live="polite">
        <strong>{valuesAt(model, at)}</strong> at {momentText(at, now, true)}
        {notesAt(model, at) === '' ? '' : `, ${notesAt(model, at)}`}
      </span>
    )
  return (
    <span className={classes.read}>
      {last === undefined ? (
        'No readings in this span'
      ) : (
        <>
          Last <strong>{valuesAt(model, last)}</strong>, {agoText(last, now)}
        </>
      )}
    </span>
  )
}

function Lines({ model }: { model: PlotModel }) {
  if (model.bars)
    return (
      <span className={classes.key} data-line="0">
        Bars from diastolic to systolic
      </span>
    )
  if (model.lines.length < 2) return null
  return model.lines.map((line, index) => (
    <span key={line.label} className={classes.key} data-line={index}>
      {line.label}
    </span>
  ))
}
