// Integers of manifests as YAML 1.1 writes them, which Kubernetes' parsers still read: `defaultMode: 0755` is octal.
// Everything else is YAML 1.2's core schema, where `yes` and `on` are texts.

import type { ScalarTag, Tags } from 'yaml'

const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) =>
    text.startsWith('-') ? -Number.parseInt(text.slice(1), 8) : Number.parseInt(text.replace('+', ''), 8),
}

/** The option `customTags` of the parser; before the schema's own, which would take it for a decimal. */
export function withOctals(tags: Tags): Tags {
  return [OCTAL, ...tags]
}
