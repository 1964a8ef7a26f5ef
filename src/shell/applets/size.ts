// Sizes as people read them, for ls -h, du -h and df -h of busybox.

const LETTERS = ['', 'K', 'M', 'G', 'T']

/** `1.5K`, `12.0M`: one decimal and a letter from 1024 on, at most five characters wide. */
export function readableSize(bytes: number): string {
  let value = bytes
  let at = 0
  for (; value >= 1024 && at < LETTERS.length - 1; at++) value /= 1024
  return at === 0 ? String(bytes) : `${value.toFixed(1)}${LETTERS[at]}`
}
