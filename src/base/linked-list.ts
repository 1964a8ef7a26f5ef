// A set whose members come and go by the thousand, in the order in which they came: a doubly linked list, whose owner
// keeps each member's place. For Map and Set V8 makes a new table every so many changes, and each old one leads to the next: once one
// of them is old enough for the old generation, all that follow it and all that was in them outlive every minor collection.

export class Place<Value> {
  readonly value: Value
  /** Neighbours in the list: for LinkedList alone. */
  older: Place<Value> | undefined
  younger: Place<Value> | undefined
  listed = true

  constructor(value: Value) {
    this.value = value
  }
}

export class LinkedList<Value> {
  #oldest: Place<Value> | undefined
  #youngest: Place<Value> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds `value` as the youngest; its place, for `remove`. */
  add(value: Value): Place<Value> {
    const place = new Place(value)
    const before = this.#youngest
    place.older = before
    if (before === undefined) this.#oldest = place
    else before.younger = place
    this.#youngest = place
    this.#size++
    return place
  }

  /** False when it was removed before. A place that is free leads nowhere: it would keep its neighbours from being collected. */
  remove(place: Place<Value>): boolean {
    if (!place.listed) return false
    const { older, younger } = place
    if (older === undefined) this.#oldest = younger
    else older.younger = younger
    if (younger === undefined) this.#youngest = older
    else younger.older = older
    place.older = undefined
    place.younger = undefined
    place.listed = false
    this.#size--
    return true
  }

  /** Oldest first. The member that was given last may be removed meanwhile, and others be added. */
  *[Symbol.iterator](): IterableIterator<Value> {
    for (let place = this.#oldest; place !== undefined; ) {
      const next = place.younger
      yield place.value
      place = place.listed ? place.younger : next
    }
  }
}
