// Amounts and rates as iperf3 prints them: four characters or more, then the unit. Bytes count in 1024, bits in 1000.

const PREFIXES = ['', 'K', 'M', 'G', 'T'] as const

/** `1.21 GBytes`, ` 594 MBytes`. */
export function bytesText(bytes: number): string {
  return scaledText(bytes, 1024, 'Bytes')
}

/** `9.41 Gbits/sec`; with a format letter in that unit, in capitals of bytes. */
export function rateText(bytes: number, seconds: number, format: string | undefined): string {
  const perSecond = seconds > 0 ? bytes / seconds : 0
  const inBytes = format !== undefined && format === format.toUpperCase()
  const fixed = format === undefined ? undefined : PREFIXES.indexOf(format.toUpperCase() as 'K')
  const text = inBytes
    ? scaledText(perSecond, 1024, 'Bytes', fixed)
    : scaledText(perSecond * 8, 1000, 'bits', fixed)
  return `${text}/sec`
}

function scaledText(value: number, base: number, unit: string, fixed?: number): string {
  let power = fixed ?? 0
  let number = value / base ** power
  if (fixed === undefined) {
    while (number >= base && power < PREFIXES.length - 1) {
      number /= base
      power++
    }
  }
  const digits = number < 9.995 ? 2 : number < 99.95 ? 1 : 0
  return `${number.toFixed(digits).padStart(4)} ${PREFIXES[power]}${unit}`
}
