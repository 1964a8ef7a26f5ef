// A mistake in a file that somebody wrote: where it stands, what is wrong, and what would be right. The command
// line prints it as `file:line:column: message` with a hint below, and exits with 2.

/** Line and column count from 1, as editors do. */
export interface SourcePosition {
  readonly line: number
  readonly column: number
}

export interface SourceProblem extends SourcePosition {
  readonly message: string
  readonly hint?: string
}

/** One file with one or more problems, in the order in which they stand. */
export class SourceError extends Error {
  readonly file: string
  readonly problems: readonly SourceProblem[]

  constructor(file: string, problems: readonly SourceProblem[]) {
    super(problems.map((problem) => formatProblem(file, problem)).join('\n'))
    this.name = 'SourceError'
    this.file = file
    this.problems = problems
  }
}

function formatProblem(file: string, problem: SourceProblem): string {
  const place = `${file}:${problem.line}:${problem.column}`
  return problem.hint === undefined
    ? `${place}: ${problem.message}`
    : `${place}: ${problem.message}\n  hint: ${problem.hint}`
}
