// Label and field selectors in the form of query parameters: `app=sidecar,tier in (a, b),!legacy` and
// `metadata.name=curl,status.phase!=Failed`.

import { labelValue, qualifiedName } from '../cluster/name-rules.js'
import type { KubeObject, Labels } from '../cluster/objects.js'
import { badRequest } from '../cluster/status.js'

type Requirement =
  | { readonly key: string; readonly operator: 'exists' | 'absent' }
  | { readonly key: string; readonly operator: 'in' | 'notin'; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: 'gt' | 'lt'; readonly value: number }

export type LabelPredicate = (labels: Labels | undefined) => boolean

const SET_TERM = /^([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$/
const EQUALITY_TERM = /^([^\s!=,()<>]+)\s*(==|!=|=|>|<)\s*([^\s!=,()<>]*)$/
const KEY = /^[^\s!=,()<>]+$/

/** Fails with BadRequest for what is no selector. An empty text selects everything. */
export function parseLabelSelector(text: string): LabelPredicate {
  const requirements = splitTerms(text).map((term) => checked(parseLabelTerm(term, text)))
  return (labels = {}) => requirements.every((requirement) => matchesRequirement(requirement, labels))
}

/** Commas between terms, but not those inside `in (a,b)`. */
function splitTerms(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '')
}

function parseLabelTerm(term: string, whole: string): Requirement {
  const set = SET_TERM.exec(term)
  if (set !== null) {
    const values = set[3]!.split(',').map((value) => value.trim())
    return { key: set[1]!, operator: set[2] as 'in' | 'notin', values }
  }
  const equality = EQUALITY_TERM.exec(term)
  if (equality !== null) {
    const [, key, operator, value] = equality as unknown as [string, string, string, string]
    if (operator === '>' || operator === '<') {
      return { key, operator: operator === '>' ? 'gt' : 'lt', value: Number(value) }
    }
    return { key, operator: operator === '!=' ? 'notin' : 'in', values: [value] }
  }
  if (term.startsWith('!') && KEY.test(term.slice(1).trim())) {
    return { key: term.slice(1).trim(), operator: 'absent' }
  }
  if (KEY.test(term)) return { key: term, operator: 'exists' }
  throw badRequest(`unable to parse requirement: found '${term}', expected: a label selector, in "${whole}"`)
}

/** As upstream's NewRequirement. */
function checked(requirement: Requirement): Requirement {
  const { key } = requirement
  const refuse = (at: string, value: string, rules: readonly string[]) => {
    if (rules.length === 0) return
    const why = `${at}: Invalid value: ${JSON.stringify(value)}: ${rules.join('; ')}`
    throw badRequest(`unable to parse requirement: ${why}`)
  }
  refuse('<nil>', key, qualifiedName(key))
  if ('values' in requirement) {
    requirement.values.forEach((value, index) => {
      refuse(`values[${index}][${key}]`, value, labelValue(value))
    })
  }
  if ('value' in requirement && !Number.isInteger(requirement.value))
    throw badRequest(
      "unable to parse requirement: values[0]: Invalid value: for 'Gt', 'Lt' operators, the value must be an integer",
    )
  return requirement
}

function matchesRequirement(requirement: Requirement, labels: Labels): boolean {
  const value = labels[requirement.key]
  switch (requirement.operator) {
    case 'exists':
      return value !== undefined
    case 'absent':
      return value === undefined
    case 'in':
      return value !== undefined && requirement.values.includes(value)
    case 'notin':
      return value === undefined || !requirement.values.includes(value)
    case 'gt':
      return value !== undefined && Number(value) > requirement.value
    case 'lt':
      return value !== undefined && Number(value) < requirement.value
  }
}

/**
 * Fields that a resource can be selected by besides `metadata.name` and `metadata.namespace`, as upstream: each is
 * the path of the field, with what stands for it where it is not set.
 */
const SELECTABLE_FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pods: {
    'spec.nodeName': '',
    'spec.restartPolicy': '',
    'spec.schedulerName': '',
    'spec.serviceAccountName': '',
    'spec.hostNetwork': 'false',
    'status.phase': '',
    'status.podIP': '',
    'status.nominatedNodeName': '',
  },
  nodes: { 'spec.unschedulable': 'false' },
  namespaces: { 'status.phase': '' },
  services: { 'spec.clusterIP': '', 'spec.type': '' },
  secrets: { type: '' },
  replicasets: { 'status.replicas': '0' },
  replicationcontrollers: { 'status.replicas': '0' },
  jobs: { 'status.successful': '0' },
  events: {
    'involvedObject.kind': '',
    'involvedObject.namespace': '',
    'involvedObject.name': '',
    'involvedObject.uid': '',
    'involvedObject.apiVersion': '',
    'involvedObject.resourceVersion': '',
    'involvedObject.fieldPath': '',
    reason: '',
    reportingComponent: '',
    source: '',
    type: '',
  },
}

/** Fields whose name is not the path to them. */
const PATHS: Readonly<Record<string, string>> = {
  'events source': 'source.component',
  'jobs status.successful': 'status.succeeded',
}

interface FieldTerm {
  readonly path: readonly string[]
  readonly unset: string
  readonly equal: boolean
  readonly value: string
}

/** Fails with BadRequest for a field that `resource` cannot be selected by. */
export function parseFieldSelector(text: string, resource: string): (object: KubeObject) => boolean {
  const terms = splitFieldTerms(text).map((term) => parseFieldTerm(term, resource))
  return (object) =>
    terms.every(({ path, unset, equal, value }) => {
      let at: unknown = object
      for (const key of path) at = (at as Record<string, unknown> | undefined)?.[key]
      const found = at === undefined || at === '' ? unset : String(at)
      return (found === value) === equal
    })
}

/** Commas between terms, but not those behind a backslash. */
function splitFieldTerms(text: string): string[] {
  return (text.match(/(?:\\.|[^,])+/g) ?? []).map((term) => term.trim()).filter((term) => term !== '')
}

function parseFieldTerm(term: string, resource: string): FieldTerm {
  const match = /^([^!=]+)(==|!=|=)(.*)$/.exec(term)
  if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
  const [, field, operator, escaped] = match as unknown as [string, string, string, string]
  const known = SELECTABLE_FIELDS[resource] ?? {}
  const isMeta = field === 'metadata.name' || field === 'metadata.namespace'
  if (!isMeta && !Object.hasOwn(known, field)) {
    throw badRequest(
      Object.hasOwn(SELECTABLE_FIELDS, resource)
        ? `field label not supported: ${field}`
        : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
    )
  }
  return {
    path: (PATHS[`${resource} ${field}`] ?? field).split('.'),
    unset: known[field] ?? '',
    equal: operator !== '!=',
    value: escaped.replace(/\\(.)/g, '$1'),
  }
}
