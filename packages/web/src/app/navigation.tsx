/** Where a person can go: the pages themselves where they fit, else groups that open, on phones and small tablets one button for all. */
import { useMediaQuery } from '@mantine/hooks'
import { Link, useRouterState } from '@tanstack/react-router'
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import classes from './navigation.module.css'
import { type Group, groupsOf, layoutOf, type Place, placeAt } from './places.ts'

const atOnce = { getInitialValueInEffect: false }

export function Navigation({ places }: { places: readonly Place[] }) {
  const isSmall = useMediaQuery('(max-width: 899px)', false, atOnce)
  const isNarrow = useMediaQuery('(max-width: 1099px)', false, atOnce)
  const layout = layoutOf(places.length, isSmall ? 'small' : isNarrow ? 'narrow' : 'wide')
  return (
    <nav className={classes.nav} aria-label="Pages">
      {layout === 'one' ? <AllInOne places={places} /> : null}
      {layout === 'pages' ? places.map((place) => <PlaceLink key={place.to} place={place} />) : null}
      {layout === 'groups' ? groupsOf(places).map((group) => <GroupOf key={group.name} group={group} />) : null}
    </nav>
  )
}

const PlaceLink = ({ place: { to, label } }: { place: Place }) => (
  <Link to={to} className={classes.link}>
    {label}
  </Link>
)

/** A group of one page is that page. */
function GroupOf({ group: { label, places } }: { group: Group }) {
  const current = useCurrent()
  const [only] = places
  if (places.length === 1 && only !== undefined) return <PlaceLink place={only} />
  return (
    <Opening label={label} isCurrent={places.some((place) => place === current)}>
      <LinkList label={label} places={places} />
    </Opening>
  )
}

function AllInOne({ places }: { places: readonly Place[] }) {
  const current = useCurrent()
  return (
    <Opening label={current === undefined ? 'Pages' : `Pages: ${current.label}`} isCurrent={current !== undefined}>
      {groupsOf(places).map(({ name, label, places: own }) => (
        <div key={name}>
          <div className={classes.heading} aria-hidden="true">
            {label}
          </div>
          <LinkList label={label} places={own} />
        </div>
      ))}
    </Opening>
  )
}

const LinkList = ({ label, places }: { label: string; places: readonly Place[] }) => (
  <ul className={classes.list} aria-label={label}>
    {places.map((place) => (
      <li key={place.to}>
        <PlaceLink place={place} />
      </li>
    ))}
  </ul>
)

const useCurrent = (): Place | undefined => placeAt(useRouterState({ select: ({ location }) => location.pathname }))

interface OpeningProps {
  readonly label: string
  /** The page that is shown is in there. */
  readonly isCurrent: boolean
  readonly children: ReactNode
}

/** Links behind a button (a disclosure, not a menu: they are links to a screen reader too). Closed by Escape and by leaving it. */
function Opening({ label, isCurrent, children }: OpeningProps) {
  const [opened, setOpened] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  useEffect(() => {
    if (!opened) return
    const leave = (event: Event) => {
      if (event.target instanceof Node && box.current?.contains(event.target) === false) setOpened(false)
    }
    document.addEventListener('pointerdown', leave)
    document.addEventListener('focusin', leave)
    return () => {
      document.removeEventListener('pointerdown', leave)
      document.removeEventListener('focusin', leave)
    }
  }, [opened])
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (event.key === 'Escape' && opened) {
      setOpened(false)
      button.current?.focus()
    } else if (step === undefined) return
    else if (opened) stepIn(box.current, step)
    else setOpened(true)
    event.preventDefault()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button and the links in it have the focus; arrows move between them
    <div ref={box} className={classes.opening} onKeyDown={press}>
      <button
        ref={button}
        type="button"
        className={classes.link}
        aria-expanded={opened}
        aria-controls={opened ? id : undefined}
        data-status={isCurrent ? 'active' : undefined}
        aria-current={isCurrent ? 'true' : undefined}
        onClick={() => setOpened((before) => !before)}
      >
        {label}
        <svg className={classes.mark} viewBox="0 0 10 6" aria-hidden="true">
          <path d="M1 1l4 4 4-4" fill="none" stroke="currentColor" strokeWidth="1.5" />
        </svg>
      </button>
      {opened ? (
        // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on a link in it is a click
        // biome-ignore lint/a11y/noStaticElementInteractions: what is clicked are the links in it
        <div id={id} className={classes.panel} onClick={() => setOpened(false)}>
          {children}
        </div>
      ) : null}
    </div>
  )
}

/** The focus goes on to the next link, or back to the one before; from the button to the first or last. */
function stepIn(box: HTMLElement | null, step: number): void {
  const stops = [...(box?.querySelectorAll<HTMLElement>('button, a') ?? [])]
  const at = stops.findIndex((each) => each.matches(':focus'))
  stops[(at + step + stops.length) % stops.length]?.focus()
}
