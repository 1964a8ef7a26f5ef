// strftime(3) in UTC, for date(1), `printf %(...)T` and prompts.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)

function two(n: number): string {
  return String(n).padStart(2, '0')
}

/** strftime(3) for the conversions that scripts use; an unknown one stays as it is. */
export function formatDate(unixMillis: number, format: string): string {
  const date = new Date(unixMillis)
  const year = date.getUTCFullYear()
  const [month, day, hour] = [date.getUTCMonth(), date.getUTCDate(), date.getUTCHours()]
  const weekday = date.getUTCDay()
  const dayOfYear = Math.floor((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86_400_000) + 1
  const conversions: Readonly<Record<string, () => string>> = {
    Y: () => String(year),
    C: () => two(Math.floor(year / 100)),
    y: () => two(year % 100),
    m: () => two(month + 1),
    d: () => two(day),
    e: () => String(day).padStart(2),
    H: () => two(hour),
    I: () => two(hour % 12 || 12),
    M: () => two(date.getUTCMinutes()),
    S: () => two(date.getUTCSeconds()),
    N: () => `${String(date.getUTCMilliseconds()).padStart(3, '0')}000000`,
    p: () => (hour < 12 ? 'AM' : 'PM'),
    j: () => String(dayOfYear).padStart(3, '0'),
    u: () => String(weekday || 7),
    w: () => String(weekday),
    a: () => DAYS[weekday]!.slice(0, 3),
    A: () => DAYS[weekday]!,
    b: () => MONTHS[month]!.slice(0, 3),
    h: () => MONTHS[month]!.slice(0, 3),
    B: () => MONTHS[month]!,
    s: () => String(Math.floor(unixMillis / 1000)),
    Z: () => 'UTC',
    z: () => '+0000',
    ':z': () => '+00:00',
    '::z': () => '+00:00:00',
    q: () => String(Math.floor(month / 3) + 1),
    k: () => String(hour).padStart(2),
    l: () => String(hour % 12 || 12).padStart(2),
    P: () => (hour < 12 ? 'am' : 'pm'),
    G: () => String(isoWeek(date).year),
    g: () => two(isoWeek(date).year % 100),
    V: () => two(isoWeek(date).week),
    U: () => two(Math.floor((dayOfYear + 6 - weekday) / 7)),
    W: () => two(Math.floor((dayOfYear + 6 - ((weekday + 6) % 7)) / 7)),
    n: () => '\n',
    t: () => '\t',
    '%': () => '%',
    F: () => formatDate(unixMillis, '%Y-%m-%d'),
    T: () => formatDate(unixMillis, '%H:%M:%S'),
    R: () => formatDate(unixMillis, '%H:%M'),
    D: () => formatDate(unixMillis, '%m/%d/%y'),
    c: () => formatDate(unixMillis, '%a %b %e %H:%M:%S %Y'),
    x: () => formatDate(unixMillis, '%m/%d/%y'),
    X: () => formatDate(unixMillis, '%H:%M:%S'),
    r: () => formatDate(unixMillis, '%I:%M:%S %p'),
  }
  // GNU's flags: `-` without padding, `_` and `0` with another one, `^` in capitals, `#` in the other case; a width, and
  // how many digits %N has.
  return format.replace(
    /%([-_0^#+]?)(\d*)(:{0,2}[a-zA-Z%])/g,
    (whole, flag: string, digits: string, letter: string) => {
      const text = conversions[letter]?.()
      if (text === undefined) return whole as string
      if (letter === 'N' && digits !== '') return text.slice(0, Number(digits))
      if (flag === '-') return text.replace(/^[0 ]+(?=.)/, '')
      const fill = flag === '_' || (flag !== '0' && /^[^\d]*$|^ /.test(text)) ? ' ' : '0'
      const padded = text.padStart(Number(digits), fill)
      if (flag === '_') return padded.replace(/^0+(?=.)/, (zeros) => ' '.repeat(zeros.length))
      if (flag === '0') return padded.replace(/^ +/, (blanks) => '0'.repeat(blanks.length))
      if (flag === '#') return letter === 'p' || letter === 'Z' ? padded.toLowerCase() : padded.toUpperCase()
      return flag === '^' ? padded.toUpperCase() : padded
    },
  )
}

/** The week by ISO 8601, which begins on Monday and belongs to the year that has its Thursday. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date)
  thursday.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7))
  const year = thursday.getUTCFullYear()
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / 604_800_000) + 1 }
}
