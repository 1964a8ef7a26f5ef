// Kubernetes quantities: `128Mi`, `100m`, `1.5G`, `1e3`.

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** The number a quantity stands for (bytes, cores, ...); undefined when it is not one. */
export function parseQuantity(text: string): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([a-zA-Z]*))$/.exec(text)
  if (match === null) return undefined
  const factor = SUFFIXES[match[3] ?? '']
  return factor === undefined ? undefined : Number(match[1]! + (match[2] ?? '')) * factor
}
