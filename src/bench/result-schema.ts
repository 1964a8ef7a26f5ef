// The JSON Schema (draft 2020-12) of `podwire bench --output json`: what result.ts declares, for programs that read it.
// test/bench/result-schema.test.ts holds real results against it.

import { METRICS, type MetricName, metricNames } from './metrics.js'
import { RESULT_VERSION } from './result.js'

type JsonSchema = Readonly<Record<string, unknown>>

const text = (description: string): JsonSchema => ({ type: 'string', description })
const number = (description: string): JsonSchema => ({ type: 'number', description })
const count = (description: string): JsonSchema => ({ type: 'integer', minimum: 0, description })
const list = (items: JsonSchema, description: string): JsonSchema => ({ type: 'array', items, description })
/** All fields are there but the `optional` ones; later versions of podwire may add others. */
const object = (fields: Readonly<Record<string, JsonSchema>>, ...optional: string[]): JsonSchema => ({
  type: 'object',
  properties: fields,
  required: Object.keys(fields).filter((name) => !optional.includes(name)),
})

const UNITS = { ms: 'milliseconds', share: 'a share from 0 to 1', bytes: 'bytes', '/s': 'a second', '': '' }

function metrics(items: (about: string) => JsonSchema): JsonSchema {
  const about = (name: MetricName) => {
    const { about, title, unit } = METRICS[name]
    return [about === '' ? `latency, ${title}` : about, UNITS[unit]].filter((one) => one !== '').join('; ')
  }
  const properties = Object.fromEntries(metricNames().map((name) => [name, items(about(name))]))
  return {
    type: 'object',
    properties,
    description: 'By name; a figure without a value is not there.',
  }
}

const spread = (description: string): JsonSchema => ({
  ...object({ median: number('Of the rounds.'), min: number('The least.'), max: number('The most.') }),
  description,
})

const endpoint = object(
  {
    endpoint: text('`10.36.0.0:80`.'),
    pod: text('Name of its pod.'),
    requests: count('Good requests.'),
    fairRequests: number('What it would have got in equal shares among those that were ready at the time.'),
    connections: count('Connections that were led to it.'),
  },
  'pod',
)

const change = object(
  {
    atMs: number('Milliseconds since the load began.'),
    what: text('The step.'),
    endpointsBefore: count('Ready endpoints before it.'),
    endpointsAfter: count('Ready endpoints at the end, or before the next change.'),
    moved: count('Lasting connections whose requests went elsewhere afterwards.'),
    failed: count('Requests that failed until the next change.'),
    noticed: count('Connections (open at a time) that noticed it.'),
    concerned: count('Of so many whom it concerned.'),
    firstNoticedMs: number('From the change until the first of them noticed.'),
    lastNoticedMs: number('From the change until the last of them noticed.'),
  },
  'moved',
  'firstNoticedMs',
  'lastNoticedMs',
)

const orNull = (description: string): JsonSchema => ({ type: ['number', 'null'], description })

const series = object({
  startMs: number('Where the first step begins: the end of the warm-up.'),
  stepMs: number('Length of a step.'),
  endpoints: list(text('An endpoint.'), 'Of the rows of `requests`.'),
  requests: list(list(count('In a step.'), 'Of an endpoint.'), 'Good requests by when they ended.'),
  failed: list(count('In a step.'), 'Failed requests.'),
  p50Ms: list(orNull('Null where nothing ended.'), 'Latency of what ended in a step.'),
  p99Ms: list(orNull('Null where nothing ended.'), 'Latency of what ended in a step.'),
})

const round = object(
  {
    metrics: metrics(number),
    errors: {
      type: 'object',
      additionalProperties: count('How many.'),
      description: 'Failed requests by kind: `timeout`, `connection refused`, `HTTP 503`.',
    },
    endpoints: list(endpoint, 'Every endpoint that was ready or answered.'),
    chiSquare: object({
      statistic: number("Pearson's, summed over the times between changes of what was ready."),
      degreesOfFreedom: count('Of all of them.'),
      p: number('How likely fair, independent choices spread at least so unevenly.'),
    }),
    runByChance: number('The longest run that fair choices have on average; only when endpoints stayed.'),
    changes: list(change, 'What was done under load.'),
    series: { ...series, description: 'Over time.' },
    percentiles: list(
      {
        type: 'array',
        prefixItems: [number('Percentile.'), number('Milliseconds.')],
        minItems: 2,
        maxItems: 2,
      },
      'Latency by percentile.',
    ),
  },
  'chiSquare',
  'runByChance',
)

export function benchResultSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A result of podwire bench',
    ...object(
      {
        version: {
          const: RESULT_VERSION,
          description: 'Raised when something changes its meaning or goes, not when something is added.',
        },
        document: text('What was run.'),
        service: text('`default/web:8080`.'),
        load: text('In words.'),
        clock: { enum: ['virtual', 'real'] },
        seed: count('Not of a cluster that was up before.'),
        rounds: count('Of each mode.'),
        model: list(text('A sentence.'), 'What the figures rest on.'),
        contestants: list(
          object(
            {
              label: text('What reports call it: its mode, with the rate where there are several.'),
              mode: text('Of kube-proxy, or `headless`.'),
              rate: number('Requests a second that were due; only of an open loop.'),
              metrics: metrics(spread),
              round: { ...round, description: 'The round whose p99 is the median.' },
            },
            'rate',
          ),
          'In the order of --modes.',
        ),
        thresholds: list(
          object(
            {
              threshold: text('As it was written.'),
              label: text('Of the contestant.'),
              value: number('What was found.'),
              passed: { type: 'boolean' },
            },
            'value',
          ),
          'Held against the medians.',
        ),
        failures: list(text('A step and why it failed.'), 'Steps under load that failed.'),
        interrupted: text(
          'Where it was ended before its time; what was not run is not among the contestants.',
        ),
      },
      'seed',
      'interrupted',
    ),
  }
}
