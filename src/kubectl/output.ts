// The output formats of `-o`: yaml, json, name, jsonpath, go-template, custom-columns. Tables are tables.ts.

import { yamlText } from '../api/yaml-text.js'
import type { KubeObject } from '../cluster/objects.js'
import type { CommandContext } from './context.js'
import { clientError, KubectlError } from './errors.js'
import { goJson } from './go-json.js'
import { evaluateGoTemplate } from './go-template/evaluate.js'
import { GoTemplateError } from './go-template/parser.js'
import {
  evaluateJsonPath,
  findJsonPath,
  JsonPathError,
  relaxedTemplate,
  textOfValue,
} from './jsonpath/evaluate.js'
import { JsonPathSyntaxError } from './jsonpath/parser.js'
import { readTextFile } from './manifests.js'
import { objectName } from './resources.js'
import { alignTabs, TABLE } from './tab-writer.js'

export type OutputFormat =
  | { readonly type: 'table'; readonly wide: boolean }
  | { readonly type: 'yaml' | 'json' | 'name' }
  | { readonly type: 'jsonpath'; readonly template: string; readonly asJson: boolean }
  | { readonly type: 'go-template'; readonly template: string }
  | { readonly type: 'custom-columns'; readonly spec: string }

const FORMATS =
  'custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,wide,yaml'

/** The value of `-o`; fails for one that there is not. */
export function outputFormat(context: CommandContext): OutputFormat {
  const value = context.flags.text('output') ?? ''
  const equals = value.indexOf('=')
  const type = equals < 0 ? value : value.slice(0, equals)
  const argument = equals < 0 ? '' : value.slice(equals + 1)
  switch (type) {
    case '':
      return { type: 'table', wide: false }
    case 'wide':
      return { type: 'table', wide: true }
    case 'yaml':
    case 'json':
    case 'name':
      return { type }
    case 'jsonpath':
    case 'jsonpath-as-json':
      if (argument === '') throw clientError(`template format specified but no template given`)
      return { type: 'jsonpath', template: argument, asJson: type === 'jsonpath-as-json' }
    case 'jsonpath-file':
      return { type: 'jsonpath', template: readTextFile(context, argument).trimEnd(), asJson: false }
    case 'go-template':
    case 'template':
      if (argument === '') throw clientError('template format specified but no template given')
      return { type: 'go-template', template: argument }
    case 'go-template-file':
      return { type: 'go-template', template: readTextFile(context, argument) }
    case 'custom-columns':
      if (argument === '') throw clientError('custom-columns format specified but no custom columns given')
      return { type: 'custom-columns', spec: argument }
    case 'custom-columns-file':
      return { type: 'custom-columns', spec: columnsOfFile(readTextFile(context, argument)) }
    default:
      throw clientError(
        `unable to match a printer suitable for the output format "${value}", allowed formats are: ${FORMATS}`,
      )
  }
}

/** The file has a line of headers and a line of paths. */
function columnsOfFile(text: string): string {
  const [headers = [], paths = []] = text.split('\n').map((line) => line.trim().split(/\s+/))
  return headers.map((header, index) => `${header}:${paths[index] ?? ''}`).join(',')
}

/** Objects as text in a format that is no table; `list` prints several, or a collection, as a `List`. */
export function formatObjects(
  context: CommandContext,
  format: OutputFormat,
  objects: readonly KubeObject[],
  list: boolean,
): string {
  const document = (): unknown =>
    list ? { apiVersion: 'v1', items: objects, kind: 'List', metadata: { resourceVersion: '' } } : objects[0]
  switch (format.type) {
    case 'json':
      return `${goJson(document(), 4)}\n`
    case 'yaml':
      return yamlText(document())
    case 'name':
      return objects.map((object) => `${nameOf(context, object)}\n`).join('')
    case 'jsonpath':
      return formatJsonPath(format, document())
    case 'go-template':
      return formatGoTemplate(format.template, document())
    case 'custom-columns':
      return formatCustomColumns(format.spec, objects, context.flags.bool('no-headers'))
    case 'table':
      return ''
  }
}

export function nameOf(context: CommandContext, object: KubeObject): string {
  const resource = context.mapper.ofKind(object.apiVersion, object.kind)
  return resource === undefined
    ? `${object.kind.toLowerCase()}/${object.metadata.name}`
    : objectName(resource, object.metadata.name)
}

function formatJsonPath(format: Extract<OutputFormat, { type: 'jsonpath' }>, document: unknown): string {
  try {
    if (format.asJson) return `${goJson(findJsonPath(format.template, document), 4)}\n`
    return evaluateJsonPath(format.template, document)
  } catch (error) {
    if (error instanceof JsonPathSyntaxError) {
      throw clientError(`error parsing jsonpath ${format.template}, ${error.message}`)
    }
    if (!(error instanceof JsonPathError)) throw error
    throw clientError(
      [
        `error executing jsonpath "${format.template}": Error executing template: ${error.message}. Printing more information for debugging the template:`,
        `\ttemplate was:\n\t\t${format.template}`,
        `\tobject given to jsonpath engine was:\n\t\t${goJson(document)}\n\n`,
      ].join('\n'),
    )
  }
}

function formatGoTemplate(template: string, document: unknown): string {
  try {
    return evaluateGoTemplate(template, document)
  } catch (error) {
    if (!(error instanceof GoTemplateError)) throw error
    throw clientError(`error in template ${template}: ${error.message}`)
  }
}

function formatCustomColumns(spec: string, objects: readonly KubeObject[], noHeaders: boolean): string {
  const columns = spec.split(/,(?![^[(]*[\])])/).map((column) => {
    const colon = column.indexOf(':')
    if (colon < 0) {
      throw clientError(`unexpected custom-columns spec: ${column}, expected <header>:<json-path-expr>`)
    }
    return { header: column.slice(0, colon), path: relaxedTemplate(column.slice(colon + 1)) }
  })
  const cell = (path: string, object: KubeObject) => {
    try {
      const values = findJsonPath(path, object)
      return values.length === 0 ? '<none>' : values.map(textOfValue).join(',')
    } catch (error) {
      if (error instanceof JsonPathSyntaxError || error instanceof JsonPathError) {
        throw new KubectlError(`error: ${error.message}`)
      }
      throw error
    }
  }
  const rows = objects.map((object) => columns.map(({ path }) => cell(path, object)).join('\t'))
  if (!noHeaders) rows.unshift(columns.map(({ header }) => header).join('\t'))
  return rows.length === 0 ? '' : `${alignTabs(rows.join('\n'), TABLE)}\n`
}

/** `deployment.apps/web created`, or the object itself where `-o` asks for it. */
export async function printResult(context: CommandContext, object: KubeObject, verb: string): Promise<void> {
  const format = outputFormat(context)
  if (format.type !== 'table') {
    await context.process.stdout.write(formatObjects(context, format, [object], false))
    return
  }
  const dryRun = dryRunMode(context)
  const suffix = dryRun === 'client' ? ' (dry run)' : dryRun === 'server' ? ' (server dry run)' : ''
  await context.print(`${nameOf(context, object)} ${verb}${suffix}`)
}

export type DryRun = 'none' | 'client' | 'server'

export function dryRunMode({ flags }: CommandContext): DryRun {
  const value = flags.text('dry-run') ?? 'none'
  if (value === 'none' || value === 'client' || value === 'server') return value
  throw clientError(`Invalid dry-run value (${value}). Must be "none", "server", or "client".`)
}
