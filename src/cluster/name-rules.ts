// The rules for names, labels and keys, and how the API server tells them. Each rule returns what is wrong with a
// value; nothing when it is right.

export type NameRule = (value: string) => string[]

const LABEL_1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN_1123 = `${LABEL_1123}(\\.${LABEL_1123})*`
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const LABEL_VALUE = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?'
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const ENV_NAME = '[-._a-zA-Z][-._a-zA-Z0-9]*'
const CONFIG_KEY = '[-._a-zA-Z0-9]+'

/** Examples and pattern at the end of a message. */
function hint(pattern: string, ...examples: string[]): string {
  return ` (e.g. ${examples.map((example) => `'${example}'`).join(',  or ')}, regex used for validation is '${pattern}')`
}

/** Values that match `pattern` as a whole and have at most `max` characters. */
function rule(pattern: string, max: number, text: string, ...examples: string[]): NameRule {
  const expression = new RegExp(`^(?:${pattern})$`)
  const message = text + hint(pattern, ...examples)
  return (value) => [
    ...(value.length > max ? [`must be no more than ${max} characters`] : []),
    ...(expression.test(value) ? [] : [message]),
  ]
}

/** Names of pods, ConfigMaps, Deployments, nodes. */
export const dns1123Subdomain = rule(
  SUBDOMAIN_1123,
  253,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  'example.com',
)

/** Names of namespaces, containers, volumes, service ports. */
export const dns1123Label = rule(
  LABEL_1123,
  63,
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  'my-name',
  '123-abc',
)

/** Names of Services. */
export const dns1035Label = rule(
  LABEL_1035,
  63,
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  'my-name',
  'abc-123',
)

export const labelValue = rule(
  LABEL_VALUE,
  63,
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  'MyValue',
  'my_value',
  '12345',
)

export const envVarName = rule(
  ENV_NAME,
  Number.POSITIVE_INFINITY,
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
  'my.env-name',
  'MY_ENV.NAME',
  'MyEnvName1',
)

export const configMapKey = rule(
  CONFIG_KEY,
  253,
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  'key.name',
  'KEY_NAME',
  'key-name',
)

const namePart = rule(
  QUALIFIED_NAME,
  63,
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  'MyName',
  'my.name',
  '123-abc',
)

/** Keys of labels and annotations: a name, perhaps behind a DNS prefix and a slash. */
export const qualifiedName: NameRule = (value) => {
  const parts = value.split('/')
  if (parts.length > 2)
    return [
      `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character${hint(QUALIFIED_NAME, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  const name = parts.at(-1)!
  const prefix = parts.length === 2 ? parts[0]! : undefined
  return [
    ...(prefix === '' ? ['prefix part must be non-empty'] : []),
    ...(prefix ? dns1123Subdomain(prefix).map((message) => `prefix part ${message}`) : []),
    ...(name === ''
      ? ['name part must be non-empty', ...namePart(name).map((message) => `name part ${message}`)]
      : namePart(name).map((message) => `name part ${message}`)),
  ]
}

/** Names of container ports, and named target ports (RFC 6335 section 5.1). */
export const portName: NameRule = (value) => [
  ...(value.length > 15 ? ['must be no more than 15 characters'] : []),
  ...(/^[-a-z0-9]+$/.test(value)
    ? []
    : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
  ...(/[a-z]/.test(value) ? [] : ['must contain at least one letter (a-z)']),
  ...(value.includes('--') ? ['must not contain consecutive hyphens'] : []),
  ...(/^-|-$/.test(value) ? ['must not begin or end with a hyphen'] : []),
]
