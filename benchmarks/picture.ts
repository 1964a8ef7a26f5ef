// The targets as a picture: a bar each, how far what was measured is from what was asked, on a scale of powers of ten.
// Right of the line is met. Plain SVG, light or dark as the viewer is.

import { askedText, figure } from './report.js'
import type { Verdict } from './targets.js'

const WIDTH = 1080
const LEFT = 640
const RIGHT = 150
const ROW = 24
const TOP = 46
/** Powers of ten to either side of the line. */
const DECADES = 2

export function targetsPicture(verdicts: readonly Verdict[]): string {
  const height = TOP + verdicts.length * ROW + 40
  const middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
  const decade = (WIDTH - LEFT - RIGHT) / 2 / DECADES
  const rows = verdicts.map((verdict, i) => row(verdict, TOP + i * ROW, middle, decade))
  const ticks = [-2, -1, 0, 1, 2].map((power) => {
    const x = middle + power * decade
    const text = power === 0 ? 'asked' : power < 0 ? `1/${10 ** -power}` : `${10 ** power}x`
    return `<line class="${power === 0 ? 'asked' : 'grid'}" x1="${x}" x2="${x}" y1="${TOP - 8}" y2="${height - 34}"/><text x="${x}" y="${TOP - 14}" text-anchor="middle">${text}</text>`
  })
  const met = verdicts.filter(({ state }) => state === 'met').length
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Targets of Podwire's benchmarks">
<style>
text{font:13px system-ui,sans-serif;fill:#1c2330}.soft{fill:#5c6675}.grid{stroke:#d9dee6}.asked{stroke:#1c2330}
.met{fill:#009e73}.missed{fill:#d55e00}.paper{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#e7eaf0}.soft{fill:#9aa4b2}.grid{stroke:#333b48}.asked{stroke:#e7eaf0}.paper{fill:#12161c}}
</style>
<rect class="paper" width="${WIDTH}" height="${height}"/>
<text x="16" y="22" font-weight="bold">What was measured, against what was asked</text>
${ticks.join('\n')}
${rows.join('\n')}
<text class="soft" x="16" y="${height - 12}">${met} of ${verdicts.length} met; right of the line is better</text>
</svg>
`
}

function row({ target, state, measured }: Verdict, y: number, middle: number, decade: number): string {
  const label = `<text x="${LEFT - 14}" y="${y + 14}" text-anchor="end">${escapeXml(`${target.number}  ${target.what}`)}</text>`
  if (measured === undefined)
    return `${label}<text class="soft" x="${middle + 6}" y="${y + 14}">not measured</text>`
  const ratio = target.atLeast === undefined ? target.atMost! / measured : measured / target.atLeast
  const length = Math.max(-DECADES, Math.min(DECADES, Math.log10(ratio))) * decade
  const x = length < 0 ? middle + length : middle
  const unit = target.unit === undefined ? 'x' : ` ${target.unit}`
  const bar = `<rect class="${state === 'met' ? 'met' : 'missed'}" x="${x.toFixed(1)}" y="${y + 3}" width="${Math.max(1, Math.abs(length)).toFixed(1)}" height="${ROW - 9}" rx="2"/>`
  const text = `<text class="soft" x="${WIDTH - RIGHT + 8}" y="${y + 14}">${escapeXml(figure(measured) + unit)}</text>`
  return `<g><title>${escapeXml(askedText(target))}</title>${label}${bar}${text}</g>`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
