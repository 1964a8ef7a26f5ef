// The known name nearest to a mistyped one, for hints.

/** Levenshtein distance: insertions, deletions and replacements of characters. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1))
    }
    previous = row
  }
  return previous[b.length]!
}

/** The nearest of `names`, or undefined when none is near enough to be what was meant. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((candidate) => ({ candidate, apart: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.apart - b.apart)
  const best = ranked[0]
  return best !== undefined && best.apart <= Math.max(1, Math.floor(best.candidate.length / 2))
    ? best.candidate
    : undefined
}

/** `did you mean x? known: a, b, c` */
export function knownNames(name: string, names: readonly string[]): string {
  const meant = nearest(name, names)
  const known = `known: ${names.join(', ')}`
  return meant === undefined ? known : `did you mean ${meant}? ${known}`
}
