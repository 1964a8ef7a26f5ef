// What running one third-party case gives.

export interface CaseResult {
  readonly name: string
  /** skipped: what it asks for does not exist here, or not in this mode; `detail` says why. */
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Lines of text: expected, got, and what helps to see why. */
  readonly detail?: string
}

export const passed = (name: string): CaseResult => ({ name, outcome: 'passed' })
export const skipped = (name: string, why: string): CaseResult => ({ name, outcome: 'skipped', detail: why })
export const failed = (name: string, ...lines: string[]): CaseResult => ({
  name,
  outcome: 'failed',
  detail: lines.join('\n'),
})
