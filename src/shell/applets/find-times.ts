// The numbers of find's tests: `+3`, `-3`, `3`, sizes with units, ages in days and minutes.

import { UsageError } from './options.js'

/** Whether a value is more than, less than or just the number that `text` says, by its sign. Throws UsageError. */
export function numberTest(word: string, text: string): (value: number) => boolean {
  const match = /^([-+]?)(\d+(?:\.\d+)?)$/.exec(text)
  if (match === null) throw new UsageError(`invalid argument '${text}' to '${word}'`)
  const wanted = Number(match[2])
  if (match[1] === '+') return (value) => value > wanted
  return match[1] === '-' ? (value) => value < wanted : (value) => value === wanted
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 512,
  b: 512,
  c: 1,
  w: 2,
  k: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
}

/** -size: sizes are counted in whole units, rounded up. */
export function sizeTest(text: string): (bytes: number) => boolean {
  const [, count = '', unit = ''] = /^([-+]?\d+)([bcwkMG]?)$/.exec(text) ?? []
  const test = numberTest('-size', count === '' ? text : count)
  return (bytes) => test(Math.ceil(bytes / SIZE_UNITS[unit]!))
}

/** -mtime and -mmin: ages in whole days are rounded down, those in minutes up, as GNU does it. */
export function ageTest(word: string, text: string): (ageMillis: number) => boolean {
  const test = numberTest(word, text)
  if (word.endsWith('time')) return (age) => test(Math.floor(age / 86_400_000))
  return (age) => test(text.startsWith('+') ? age / 60_000 : Math.ceil(age / 60_000))
}
