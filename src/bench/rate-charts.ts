// Of a run at several rates: what became of the modes from one rate to the next - the knee behind which queues grow.

import type { MetricName } from './metrics.js'
import { modesOf } from './rates.js'
import type { ContestantResult } from './result.js'
import { type Line, lineChart } from './svg-chart.js'
import { plainNumber } from './svg-scale.js'

export function latencyByRate(contestants: readonly ContestantResult[]): string {
  return byRate(contestants, 'p99', { title: 'p99 by rate', yLabel: 'p99 in ms, logarithmic', yLog: true })
}

export function answersByRate(contestants: readonly ContestantResult[]): string {
  return byRate(contestants, 'rps', { title: 'Answers by rate', yLabel: 'answered a second', yLog: false })
}

function byRate(
  contestants: readonly ContestantResult[],
  metric: MetricName,
  chart: { readonly title: string; readonly yLabel: string; readonly yLog: boolean },
): string {
  const lines = modesOf(contestants).map((wanted, color): Line => {
    const own = contestants.filter(({ mode }) => mode === wanted)
    const points = own.map(({ rate = 0, metrics }) => [rate, metrics[metric]?.median] as const)
    return { name: wanted, color, points: points.sort(([a], [b]) => a - b) }
  })
  const rates = [...new Set(contestants.map(({ rate = 0 }) => rate))]
  const xTicks = rates.map((value) => ({ value, text: plainNumber(value) }))
  return lineChart(lines, { ...chart, xLabel: 'requests due a second', xFrom: 0, xTicks })
}
