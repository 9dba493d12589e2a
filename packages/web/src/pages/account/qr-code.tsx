/** A QR code, drawn here: what it says is a secret and goes to no service. Dark on light in both schemes, as cameras want it. */
import qrcode from 'qrcode-generator'

/** Modules of empty space around it (ISO/IEC 18004 asks for 4). */
const quiet = 4

export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = modulesOf(text)
  const side = size + 2 * quiet
  return (
    <svg role="img" aria-label={label} viewBox={`0 0 ${side} ${side}`} width="100%" style={{ maxWidth: '15rem' }}>
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" shapeRendering="crispEdges" />
    </svg>
  )
}

function modulesOf(text: string): { size: number; path: string } {
  const code = qrcode(0, 'M')
  code.addData(text)
  code.make()
  const size = code.getModuleCount()
  let path = ''
  for (let row = 0; row < size; row += 1)
    for (let column = 0; column < size; column += 1)
      if (code.isDark(row, column)) path += `M${column + quiet} ${row + quiet}h1v1h-1z`
  return { size, path }
}
