// Values that are nearly always there at once and only sometimes have to be waited for: the expansion of a word waits
// when it runs a command, and not otherwise. A promise for each of them is most of what a loop of a script would cost.
// Not for what usually waits: that is `async`.

/** A value, or the promise of it. `await` takes either; where time counts, only a promise is awaited. */
export type Awaitable<Value> = Value | Promise<Value>

/** What `next` makes of `value`: at once where it is there. */
export function andThen<Value, Next>(
  value: Awaitable<Value>,
  next: (value: Value) => Awaitable<Next>,
): Awaitable<Next> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** `each` for one item after the other, from index `from` on. */
export function inTurn<Item>(
  items: readonly Item[],
  each: (item: Item, index: number) => Awaitable<void>,
  from = 0,
): Awaitable<void> {
  for (let index = from; index < items.length; index++) {
    const done = each(items[index]!, index)
    if (done instanceof Promise) return done.then(() => inTurn(items, each, index + 1))
  }
}

/** As `try`, `catch` and `finally` around `body`. */
export function attempt<Value>(
  body: () => Awaitable<Value>,
  recover: (error: unknown) => Awaitable<Value>,
  close: () => void = () => {},
): Awaitable<Value> {
  let value: Awaitable<Value>
  try {
    value = body()
    if (value instanceof Promise) value = value.catch(recover)
  } catch (error) {
    try {
      value = recover(error)
    } catch (failure) {
      close()
      throw failure
    }
  }
  if (value instanceof Promise) return value.finally(close)
  close()
  return value
}
