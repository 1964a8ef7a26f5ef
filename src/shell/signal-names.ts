// The signals of Linux by number (signal(7), x86), for lists of them. Those that can be sent here are posix/process.ts'.

const NAMES =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
const FIRST_REAL_TIME = 34
const LAST_REAL_TIME = 64
const PER_LINE = 5

/** Numbers and names without SIG, in order. */
export function signalNames(): readonly (readonly [number, string])[] {
  const names = NAMES.split(' ').map((name, index) => [index + 1, name] as const)
  const middle = (FIRST_REAL_TIME + LAST_REAL_TIME) >> 1
  for (let number = FIRST_REAL_TIME; number <= LAST_REAL_TIME; number++) {
    const above = number - FIRST_REAL_TIME
    const below = LAST_REAL_TIME - number
    const distance =
      number <= middle ? (above > 0 ? `MIN+${above}` : 'MIN') : below > 0 ? `MAX-${below}` : 'MAX'
    names.push([number, `RT${distance}`])
  }
  return names
}

/** What `kill -l` shows: bash in columns, busybox one a line. */
export function signalTable(isBash: boolean): string {
  const cells = signalNames().map(
    ([number, name]) => `${String(number).padStart(2)}) ${isBash ? 'SIG' : ''}${name}`,
  )
  if (!isBash) return `${cells.join('\n')}\n`
  const lines: string[] = []
  for (let at = 0; at < cells.length; at += PER_LINE) {
    const row = cells.slice(at, at + PER_LINE)
    lines.push(`${row.join('\t')}${row.length < PER_LINE ? '\t' : ''}\n`)
  }
  return lines.join('')
}
