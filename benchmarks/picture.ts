// The targets as a picture: a bar each, how far what was measured is from what was asked, on a scale of powers of ten,
// with both figures beside it. Right of the line is met. Plain SVG, light or dark as the viewer is.

import type { Target, Verdict } from './targets.js'

const WIDTH = 1120
const NUMBER = 16
const LABEL = 40
const SCALE = 650
const SCALE_END = 900
/** Right ends of the columns of figures. */
const MEASURED = 1036
const ASKED = WIDTH - 16
const ROW = 22
/** Between targets of different numbers. */
const GAP = 8
const TOP = 76
/** Powers of ten to either side of the line; a bar that is longer ends in a point. */
const DECADES = 1
const POINT = 6

/** `machine`: where it was measured, in a line. */
export function targetsPicture(verdicts: readonly Verdict[], machine: string): string {
  const middle = (SCALE + SCALE_END) / 2
  const decade = (SCALE_END - SCALE) / 2 / DECADES
  const rows: string[] = []
  let y = TOP
  let number: number | undefined
  for (const verdict of verdicts) {
    const isFirst = verdict.target.number !== number
    if (isFirst && number !== undefined) {
      rows.push(
        `<line class="grid" x1="${NUMBER}" x2="${ASKED}" y1="${y + GAP / 2 - 2}" y2="${y + GAP / 2 - 2}"/>`,
      )
      y += GAP
    }
    number = verdict.target.number
    if (isFirst) rows.push(`<text class="soft" x="${NUMBER}" y="${y + 14}">${number}</text>`)
    rows.push(row(verdict, y, middle, decade))
    y += ROW
  }
  const ticks = [-1, -0.5, 0, 0.5, 1].map((power) => {
    const x = middle + power * decade
    const times = Math.abs(power) === 1 ? '10' : '3'
    const text = power === 0 ? 'asked' : power < 0 ? `1/${times}` : `${times}x`
    return `<line class="${power === 0 ? 'asked' : 'grid'}" x1="${x}" x2="${x}" y1="${TOP - 8}" y2="${y + 2}"/><text class="${power === 0 ? '' : 'soft'}" x="${x}" y="${TOP - 14}" text-anchor="middle">${text}</text>`
  })
  const met = verdicts.filter(({ state }) => state === 'met').length
  const height = y + 40
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Targets of Podwire's benchmarks">
<style>
text{font:13px system-ui,sans-serif;fill:#1c2330}.title{font-size:16px;font-weight:600}.soft{fill:#5c6675}.grid{stroke:#e3e7ee}.asked{stroke:#1c2330}
.met{fill:#009e73}.missed{fill:#d55e00}.paper{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#e7eaf0}.soft{fill:#9aa4b2}.grid{stroke:#2a313c}.asked{stroke:#e7eaf0}.paper{fill:#12161c}}
</style>
<rect class="paper" width="${WIDTH}" height="${height}"/>
<text class="title" x="${NUMBER}" y="28">Podwire's benchmarks: what was measured, against what was asked</text>
<text class="soft" x="${NUMBER}" y="48">${escapeXml(machine)}</text>
<text class="soft" x="${MEASURED}" y="${TOP - 14}" text-anchor="end">measured</text>
<text class="soft" x="${ASKED}" y="${TOP - 14}" text-anchor="end">asked</text>
${ticks.join('\n')}
${rows.join('\n')}
<text class="soft" x="${NUMBER}" y="${height - 14}">${met} of ${verdicts.length} met: right of the line is better. Bars that end in a point go on.</text>
</svg>
`
}

function row(
  { target, state, measured, reason }: Verdict,
  y: number,
  middle: number,
  decade: number,
): string {
  const label = `<text x="${LABEL}" y="${y + 14}">${escapeXml(target.what)}</text>`
  const asked = `<text class="soft" x="${ASKED}" y="${y + 14}" text-anchor="end">${askedFigure(target)}</text>`
  if (measured === undefined) {
    const none = `<text class="soft" x="${middle + 8}" y="${y + 14}">not measured</text>`
    return `<g><title>${escapeXml(reason ?? 'not measured')}</title>${label}${none}${asked}</g>`
  }
  const ratio = target.atLeast === undefined ? target.atMost! / measured : measured / target.atLeast
  const figure = `<text x="${MEASURED}" y="${y + 14}" text-anchor="end">${escapeXml(`${short(measured)}${unitOf(target)}`)}</text>`
  return `${label}${bar(Math.log10(ratio), state === 'met', y, middle, decade)}${figure}${asked}`
}

/** From the line to where `power` of ten is. */
function bar(power: number, met: boolean, y: number, middle: number, decade: number): string {
  const isCut = Math.abs(power) > DECADES
  const direction = power < 0 ? -1 : 1
  // What is just met or missed is seen, too.
  const length = direction * Math.max(1, Math.min(Math.abs(power), DECADES) * decade - (isCut ? POINT : 0))
  const [top, bottom] = [y + 3, y + ROW - 5]
  const end = (middle + length).toFixed(1)
  const point = isCut ? `L${middle + length + direction * POINT} ${(top + bottom) / 2}` : ''
  return `<path class="${met ? 'met' : 'missed'}" d="M${middle} ${top}H${end}${point}L${end} ${bottom}H${middle}z"/>`
}

function askedFigure({ atLeast, atMost, unit }: Target): string {
  const sign = atLeast === undefined ? '≤' : '≥'
  return `${sign} ${short(atLeast ?? atMost!, false)}${unit === undefined ? 'x' : ''}`
}

/** A measurement has three digits, what was asked those that it was asked with; millions are M. */
function short(value: number, measured = true): string {
  const [scaled, unit] = value >= 1e6 ? [value / 1e6, ' M'] : [value, '']
  const text =
    measured && scaled < 100
      ? scaled.toPrecision(3)
      : scaled.toLocaleString('en', { maximumFractionDigits: measured ? 0 : 3 })
  return text + unit
}

function unitOf({ unit }: Target): string {
  return unit === undefined ? 'x' : ` ${unit}`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
