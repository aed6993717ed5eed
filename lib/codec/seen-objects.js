'use strict';

/** So many objects are compared one by one; a Set for them would cost more than writing them. */
const FEW = 4;

/** The objects of one message, to notice the second reference to one. */
class SeenObjects {
  constructor() {
    /** @type {Array<object | null>} */
    this.few = new Array(FEW).fill(null);
    this.count = 0;
    /** @type {Set<object> | null} */
    this.all = null;
  }

  /** @param {object} object @returns {boolean} false if it was seen before */
  add(object) {
    const { few, count, all } = this;
    if (all !== null) {
      // `has` first: measured on fresh objects it halves the cost of `add` and a look at the size.
      if (all.has(object)) return false;
      all.add(object);
      return true;
    }
    for (let i = 0; i < count; i++) if (few[i] === object) return false;
    if (count < FEW) {
      few[count] = object;
      this.count = count + 1;
      return true;
    }
    this.all = new Set(few).add(object);
    return true;
  }

  /** Keeps nothing of a message alive. */
  clear() {
    for (let i = 0; i < this.count; i++) this.few[i] = null;
    this.count = 0;
    this.all = null;
  }
}

module.exports = { SeenObjects };
