/** Says what was just done and offers ten seconds to take it back, also by `u`. */
import { Button, CloseButton, Kbd } from '@mantine/core'
import { useKeys } from '../../app/use-keys.ts'
import { dismissUndo, type Shown, undoLast, undoMs, useShown } from './undo-store.ts'
import classes from './undo-toast.module.css'

/** Stands in the page from the beginning: a screen reader hears only regions that were there before their words. */
export function UndoToast() {
  const shown = useShown()
  const mayUndo = shown?.state === 'offered' && shown.undo !== undefined
  useKeys({ u: mayUndo ? () => void undoLast() : undefined })
  return (
    <div className={classes.place}>
      <div
        role="status"
        className={shown === null ? undefined : classes.toast}
        data-refused={shown?.state === 'refused' || undefined}
      >
        {shown === null ? null : <Words key={shown.id} shown={shown} mayUndo={mayUndo} />}
      </div>
    </div>
  )
}

function Words({ shown, mayUndo }: { shown: Shown; mayUndo: boolean }) {
  return (
    <>
      <span className={classes.words}>
        {shown.words}
        {mayUndo ? <span className={classes.unseen}> Undo with the key u within ten seconds.</span> : null}
      </span>
      {shown.undo === undefined || shown.state === 'undone' || shown.state === 'refused' ? null : (
        <Button
          variant="default"
          size="xs"
          className={classes.button!}
          loading={shown.state === 'undoing'}
          onClick={() => void undoLast()}
          rightSection={<Kbd size="xs">u</Kbd>}
        >
          Undo
        </Button>
      )}
      <CloseButton aria-label="Dismiss" onClick={dismissUndo} className={classes.close!} />
      {mayUndo ? (
        <span className={classes.bar} style={{ animationDuration: `${undoMs}ms` }} aria-hidden="true" />
      ) : null}
    </>
  )
}
