// Flavoured types: a plain number or string that carries the name of what it counts, so that an `Ipv4`
// cannot be passed where a `Port` is meant. Plain literals still fit; nothing exists at run time.

export type Flavor<Value, Name extends string> = Value & { readonly __flavor?: Name }
