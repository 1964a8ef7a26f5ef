// Scales and ticks of a chart's axes: values to places, and the round numbers that people read.

export interface Scale {
  /** Place of a value, in the chart's units. */
  at(value: number): number
  readonly ticks: readonly { readonly value: number; readonly text: string }[]
}

/** From `from` to `to` in equal steps of 1, 2 or 5 times a power of ten; the end is a tick when `whole`. */
export function linearScale(
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
  most: number,
  text: (value: number) => string = plainNumber,
): Scale {
  const span = to - from || 1
  const step = roundStep(span / most)
  const ticks: { value: number; text: string }[] = []
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++) {
    const value = Number((i * step).toPrecision(12))
    ticks.push({ value, text: text(value) })
  }
  return { at: (value) => start + ((value - from) / span) * (end - start), ticks }
}

/** Powers of ten, with 2 and 5 between them when there is room. */
export function logScale(
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
  text: (value: number) => string = plainNumber,
): Scale {
  const [low, high] = [Math.log10(from), Math.log10(Math.max(to, from * 1.0001))]
  const between = high - low < 2.2 ? [1, 2, 5] : [1]
  const ticks: { value: number; text: string }[] = []
  for (let power = Math.floor(low); power <= high; power++) {
    for (const digit of between) {
      const value = digit * 10 ** power
      if (value >= from * 0.999 && value <= to * 1.001) ticks.push({ value, text: text(value) })
    }
  }
  return { at: (value) => start + ((Math.log10(value) - low) / (high - low)) * (end - start), ticks }
}

/** The axis' end: the next round number. */
export function roundUp(value: number): number {
  if (value <= 0) return 1
  const step = roundStep(value / 5)
  return Math.ceil(value / step - 1e-9) * step
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  for (const digit of [1, 2, 5, 10]) if (digit * power >= least * 0.999) return digit * power
  return 10 * power
}

export function plainNumber(value: number): string {
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`
  if (Math.abs(value) >= 10_000) return `${Number((value / 1e3).toPrecision(3))}k`
  return String(Number(value.toPrecision(3)))
}
