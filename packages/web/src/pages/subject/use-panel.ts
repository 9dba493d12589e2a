/** Which dialog of the page is open: it stands in the URL, so that a link opens it. */
import { useNavigate, useSearch } from '@tanstack/react-router'

export function usePanel() {
  const { panel } = useSearch({ from: '/staff/subjects/$id' })
  const navigate = useNavigate({ from: '/subjects/$id' })
  return {
    panel,
    open: (panel: string) => void navigate({ search: (before) => ({ ...before, panel }) }),
    close: () => void navigate({ search: ({ panel: _panel, ...before }) => before }),
  }
}
