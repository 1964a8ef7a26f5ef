// Charts as SVG text: lines, stacked areas, bars of shares. Colours and fonts come from the page's style sheet (classes
// `c0` to `c7`, `grid`, `axis`, `mark`); every chart has a title that readers of the page's text hear.

import { escapeHtml } from './html-text.js'
import { linearScale, logScale, roundUp, type Scale } from './svg-scale.js'

const WIDTH = 480
const HEIGHT = 290
const LEFT = 56
const RIGHT = 12
const TOP = 14
const BOTTOM = 42
export const COLORS = 8

export interface Line {
  readonly name: string
  /** Of the palette. */
  readonly color: number
  readonly points: readonly (readonly [x: number, y: number | undefined])[]
}

export interface Mark {
  readonly x: number
  readonly text: string
}

export interface ChartOptions {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly marks?: readonly Mark[]
  readonly yLog?: boolean
  /** Where the x axis begins, at the latest with the first point. */
  readonly xFrom?: number
  /** The x axis' ticks when it is no plain number. */
  readonly xTicks?: readonly { readonly value: number; readonly text: string }[]
}

/** Lines with gaps where there is no value. */
export function lineChart(lines: readonly Line[], options: ChartOptions): string {
  const points = lines.flatMap((line) => line.points.filter(([, y]) => y !== undefined)) as [number, number][]
  if (points.length === 0) return emptyChart(options.title)
  const x = xScale(
    points.map(([at]) => at),
    options,
  )
  const ys = points.map(([, y]) => y)
  const positive = ys.filter((y) => y > 0)
  const yRange: [number, number] = options.yLog
    ? [Math.min(...positive) * 0.8, Math.max(...ys) * 1.25]
    : [0, roundUp(Math.max(...ys))]
  const place: [number, number] = [HEIGHT - BOTTOM, TOP]
  const y = options.yLog ? logScale(yRange, place) : linearScale(yRange, place, 5)
  const paths = lines.map(({ name, color, points: all }) => {
    let path = ''
    let drawing = false
    for (const [px, py] of all) {
      if (py === undefined || (options.yLog && py <= 0)) drawing = false
      else {
        path += `${drawing ? 'L' : 'M'}${round(x.at(px))} ${round(y.at(py))}`
        drawing = true
      }
    }
    return `<path class="line c${color % COLORS}" d="${path}"><title>${escapeHtml(name)}</title></path>`
  })
  return frame(options, x, y, paths.join(''))
}

/** Rows on top of each other; all have their values at the same places. */
export function areaChart(lines: readonly Line[], yMost: number, options: ChartOptions): string {
  const places = lines[0]?.points.map(([x]) => x) ?? []
  if (places.length === 0) return emptyChart(options.title)
  const x = xScale(places, options)
  const y = linearScale([0, roundUp(yMost)], [HEIGHT - BOTTOM, TOP], 5)
  const base = places.map(() => 0)
  const areas = lines.map(({ name, color, points }) => {
    const top = points.map(([, value], i) => base[i]! + (value ?? 0))
    const forth = top.map(
      (value, i) => `${i === 0 ? 'M' : 'L'}${round(x.at(places[i]!))} ${round(y.at(value))}`,
    )
    const back = base.map((value, i) => `L${round(x.at(places[i]!))} ${round(y.at(value))}`).reverse()
    for (const [i, value] of top.entries()) base[i] = value
    return `<path class="area c${color % COLORS}" d="${forth.join('')}${back.join('')}Z"><title>${escapeHtml(name)}</title></path>`
  })
  return frame(options, x, y, areas.join(''))
}

export interface ShareBar {
  readonly name: string
  readonly parts: readonly { readonly name: string; readonly share: number; readonly color: number }[]
}

const BAR_HEIGHT = 22
const BAR_GAP = 12
/** About how wide a letter of 12 px is. */
const LETTER = 7

/** One bar of 100 % a row. */
export function shareBars(bars: readonly ShareBar[], title: string): string {
  const left = Math.max(84, 16 + LETTER * Math.max(...bars.map(({ name }) => name.length)))
  const height = TOP + bars.length * (BAR_HEIGHT + BAR_GAP) + 34
  const x = linearScale([0, 1], [left, WIDTH - RIGHT], 4, (value) => `${Math.round(value * 100)} %`)
  const bottom = TOP + bars.length * (BAR_HEIGHT + BAR_GAP)
  const grid = x.ticks.map(
    ({ value, text }) =>
      `<line class="grid" x1="${round(x.at(value))}" x2="${round(x.at(value))}" y1="${TOP - 4}" y2="${bottom}"/><text x="${round(x.at(value))}" y="${bottom + 16}" text-anchor="${value === 1 ? 'end' : 'middle'}">${text}</text>`,
  )
  const rows = bars.map(({ name, parts }, i) => {
    const y = TOP + i * (BAR_HEIGHT + BAR_GAP)
    let from = 0
    const rects = parts.map((part) => {
      const start = x.at(from)
      from += part.share
      const wide = x.at(from) - start
      const percent = `${(part.share * 100).toFixed(1)} %`
      const label =
        wide > 46
          ? `<text class="in" x="${round(start + wide / 2)}" y="${y + 15}" text-anchor="middle">${percent}</text>`
          : ''
      return `<rect class="bar c${part.color % COLORS}" x="${round(start)}" y="${y}" width="${round(Math.max(0, wide - 1))}" height="${BAR_HEIGHT}"><title>${escapeHtml(part.name)}: ${percent}</title></rect>${label}`
    })
    return `<text x="${left - 8}" y="${y + 15}" text-anchor="end">${escapeHtml(name)}</text>${rects.join('')}`
  })
  return svg(title, height, grid.join('') + rows.join(''))
}

function xScale(places: readonly number[], options: ChartOptions): Scale {
  const range: [number, number] = [Math.min(options.xFrom ?? places[0]!, ...places), Math.max(...places)]
  const scale = linearScale(range, [LEFT, WIDTH - RIGHT], 6)
  return options.xTicks === undefined ? scale : { at: scale.at, ticks: options.xTicks }
}

function frame(options: ChartOptions, x: Scale, y: Scale, body: string): string {
  const floor = HEIGHT - BOTTOM
  const rows = y.ticks.map(({ value, text }) => {
    const at = round(y.at(value))
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text x="${LEFT - 6}" y="${at + 4}" text-anchor="end">${text}</text>`
  })
  const columns = x.ticks.map(({ value, text }) => {
    const at = round(x.at(value))
    return `<line class="axis" x1="${at}" x2="${at}" y1="${floor}" y2="${floor + 4}"/><text x="${at}" y="${floor + 17}" text-anchor="middle">${text}</text>`
  })
  const marks = (options.marks ?? []).map(({ x: value, text }, i) => {
    const at = round(x.at(value))
    // During the warm-up, or after the last answer.
    if (at < LEFT || at > WIDTH - RIGHT) return ''
    return `<g class="mark"><line x1="${at}" x2="${at}" y1="${TOP}" y2="${floor}"/><text x="${at + 3}" y="${TOP + 9}">${i + 1}</text><title>${escapeHtml(text)}</title></g>`
  })
  const labels = `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(options.xLabel)}</text><text transform="translate(12 ${(TOP + floor) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(options.yLabel)}</text>`
  const axis = `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${floor}" y2="${floor}"/>`
  return svg(options.title, HEIGHT, rows.join('') + body + axis + columns.join('') + marks.join('') + labels)
}

function emptyChart(title: string): string {
  return svg(title, 80, `<text x="${WIDTH / 2}" y="44" text-anchor="middle">nothing to show</text>`)
}

function svg(title: string, height: number, body: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}">${body}</svg>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
