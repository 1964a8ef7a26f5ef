// How the fields of a protobuf message are written down here: one text a message, a field each between semicolons,
// as in `1 name; 2 replicas:int32?; 3 args[]; 4 labels:string{}; 5 *:VolumeSource`. Field numbers are facts of the
// public wire format. What is not of the messages' own: metadata lists and rarely used kinds.
//
//   NUMBER NAME[:TYPE][?|[]|{}]
//
// The type is string where none is given; `?` is a pointer in Go (its zero value is a value), `[]` a list, `{}` a map
// from strings; the name `*` has the fields of the message inside stand in the message around it (inlined in JSON).

export type FieldTables = Readonly<Record<string, string>>

export interface Field {
  readonly name: string
  /** A scalar's name, or that of a message. */
  readonly type: string
  readonly repeat: 'one' | 'list' | 'map'
  /** Whether a zero is kept. */
  readonly optional: boolean
  readonly inline: boolean
}

export type MessageFields = ReadonlyMap<number, Field>

const FIELD = /^(\d+) (\*|\w+)(?::(\w+))?(\?|\[\]|\{\})?$/

/** The fields of one message, by number. Throws TypeError for a text that is none. */
export function parseFields(text: string): MessageFields {
  return new Map(text.split(';').map((part) => parseField(part.trim())))
}

function parseField(text: string): [number, Field] {
  const match = FIELD.exec(text)
  if (match === null) throw new TypeError(`not a field of a message: ${JSON.stringify(text)}`)
  const [, number, name, type = 'string', mark] = match as unknown as [
    string,
    string,
    string,
    string?,
    string?,
  ]
  const repeat = mark === '[]' ? 'list' : mark === '{}' ? 'map' : 'one'
  return [Number(number), { name, type, repeat, optional: mark === '?', inline: name === '*' }]
}
