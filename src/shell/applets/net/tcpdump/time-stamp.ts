// The time before a packet's text, by the number of -t. Time zones are UTC's.

const DAY_MICROS = 86_400_000_000

export class TimeStamps {
  readonly #form: number
  #first: number | undefined
  #previous: number | undefined

  /** `form`: how often -t was given, 0 to 5. */
  constructor(form: number) {
    this.#form = form
  }

  /** The text for a packet of this time, with a space behind it. */
  next(unixMicros: number): string {
    const since = this.#form === 3 ? (this.#previous ?? unixMicros) : (this.#first ??= unixMicros)
    this.#previous = unixMicros
    switch (this.#form) {
      case 0:
        return `${timeOfDay(unixMicros)} `
      case 1:
        return ''
      case 2:
        return `${Math.floor(unixMicros / 1e6)}.${fraction(unixMicros)} `
      case 4:
        return `${new Date(unixMicros / 1000).toISOString().slice(0, 10)} ${timeOfDay(unixMicros)} `
    }
    const passed = unixMicros - since
    return `${passed < 0 ? '-' : ' '}${timeOfDay(Math.abs(passed))} `
  }
}

function timeOfDay(micros: number): string {
  const seconds = Math.floor((micros % DAY_MICROS) / 1e6)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}.${fraction(micros)}`
}

function fraction(micros: number): string {
  return String(Math.floor(micros % 1e6)).padStart(6, '0')
}
