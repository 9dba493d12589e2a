/** Careloop's pages. */
import '@mantine/core/styles.css'
import './app/theme.css'
import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { makeQueryClient } from './api/queries.ts'
import { makeRouter } from './app/router.tsx'
import { cssVariables, styleNonce, theme } from './app/theme.ts'

const nonce = styleNonce()
// What locks scrolling behind a dialog writes a style element of its own and looks for its nonce here.
Object.assign(globalThis, { __webpack_nonce__: nonce })

const client = makeQueryClient()
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={client}>
        <RouterProvider router={makeRouter(client)} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
