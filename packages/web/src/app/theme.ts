/** Careloop's look for Mantine: one accent, system fonts, 14 px for staff, red kept for high priority alone. */
import { type CSSVariablesResolver, createTheme, Drawer, Modal } from '@mantine/core'

const systemFonts = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'

export const theme = createTheme({
  primaryColor: 'teal',
  // White on shade 9 is 5:1; the shades before are below 4.5:1.
  primaryShade: { light: 9, dark: 9 },
  fontFamily: systemFonts,
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: {
    fontFamily: systemFonts,
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.25rem', lineHeight: '1.75rem' },
      h2: { fontSize: '1rem', lineHeight: '1.5rem' },
      h3: { fontSize: '0.875rem', lineHeight: '1.25rem' },
    },
  },
  fontSizes: { xs: '0.75rem', sm: '0.875rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  spacing: { xs: '0.5rem', sm: '0.75rem', md: '1rem', lg: '1.5rem', xl: '2rem' },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  // A dialog's <header> is no second banner of the page.
  components: {
    Modal: Modal.extend({
      defaultProps: { attributes: { header: { role: 'presentation' } } },
      styles: { title: { fontWeight: 600 } },
    }),
    Drawer: Drawer.extend({
      defaultProps: { attributes: { header: { role: 'presentation' } } },
      styles: { title: { fontWeight: 600 } },
    }),
  },
})

/** Mantine's dimmed grey is 3.3:1 on white, and its errors are red: both are replaced. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {
    // Darker under the pointer: the shade that Mantine takes is below 4.5:1.
    '--mantine-color-teal-filled-hover': '#076b4d',
    '--mantine-primary-color-filled-hover': '#076b4d',
  },
  light: {
    '--mantine-color-dimmed': '#4b5560',
    '--mantine-color-placeholder': '#66707a',
    '--mantine-color-error': '#1b1f24',
    '--mantine-color-body': '#ffffff',
    '--mantine-color-anchor': '#076b4d',
  },
  dark: {
    '--mantine-color-dimmed': '#aab3bc',
    '--mantine-color-placeholder': '#9aa4ae',
    '--mantine-color-error': '#f1f3f5',
    '--mantine-color-body': '#12171b',
    '--mantine-color-text': '#e4e8eb',
    '--mantine-color-anchor': '#4fd1a5',
  },
})

/** The nonce of this answer's policy, where Vite put it: style elements without it are refused. */
export const styleNonce = (): string =>
  document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''
