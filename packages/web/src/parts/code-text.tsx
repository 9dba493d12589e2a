/** A text of a machine, in its own box: it scrolls there, by keyboard too. */
import classes from './code-text.module.css'

export const CodeText = ({ text }: { text: string }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
  <pre className={classes.text} tabIndex={0}>
    {text}
  </pre>
)
