// The same numbers for the same seed, and streams of their own for those who throw dice at the same time: what one of them
// does must not change what another one gets.

export class Dice {
  #state

  /** @param {string} seed any text */
  constructor(seed) {
    this.seed = seed
    // FNV-1a over the text.
    this.#state = 0x811c9dc5
    for (const char of seed) this.#state = Math.imul(this.#state ^ char.charCodeAt(0), 0x01000193)
  }

  /** Dice that depend on this seed and the name alone, not on what was thrown so far. @param {string | number} name */
  of(name) {
    return new Dice(`${this.seed}/${name}`)
  }

  /** From 0 to below 1. */
  next() {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. @param {number} from @param {number} to */
  whole(from, to) {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  /** @param {number} chance of 1 */
  maybe(chance) {
    return this.next() < chance
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  one(list) {
    return list[Math.floor(this.next() * list.length)]
  }

  /** By weight. @template {{ weight: number }} T @param {readonly T[]} list @returns {T} */
  weighted(list) {
    let at = this.next() * list.reduce((sum, { weight }) => sum + weight, 0)
    for (const item of list) if ((at -= item.weight) < 0) return item
    return list[list.length - 1]
  }
}
