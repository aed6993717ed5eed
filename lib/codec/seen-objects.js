'use strict';

/** So many objects are compared one by one. */
const FEW = 4;
/** Objects in the table; further ones go into a Set. */
const MOST = 4096;
const SLOTS = 8192;
/** Objects of one slot; further ones, which must look alike, go into a Set. */
const CHAIN = 16;
/** With so many of them the table is of no use, and all objects go into the Set. */
const MANY_ALIKE = 24;

/**
 * The objects of one message, to notice the second reference to one. Whoever meets an object a second time meets what
 * is in it a second time too, and the innermost objects first: only these have to be remembered. And two references to
 * an innermost object are written as the same bytes, so that only those that look alike there are compared. For most
 * messages that costs a third of a Set, which has to give each object a hash first.
 */
class SeenObjects {
  constructor() {
    /** @type {Array<object | null>} */
    this.objects = new Array(FEW).fill(null);
    this.count = 0;
    /** @type {Uint16Array | null} the number of the last object of each slot */
    this.heads = null;
    // What earlier messages left in these is told from this one's by `count` and `slots`: nothing has to be cleared.
    this.next = new Int16Array(0);
    this.slots = new Uint16Array(0);
    /** @type {Set<object> | null} */
    this.set = null;
    this.onlySet = false;
    /** @type {Array<object | null>} the objects at depths 1, 2, 4, 8 ... on the way to this one */
    this.above = new Array(16).fill(null);
  }

  /**
   * @param {object} object
   * @param {number} depth from 1
   * @returns {boolean} false if it is on the way to itself; a cycle shows after three rounds at most
   */
  enter(object, depth) {
    const { above } = this;
    if (depth > 1 && above[31 - Math.clz32(depth - 1)] === object) return false;
    if ((depth & (depth - 1)) === 0) above[31 - Math.clz32(depth)] = object;
    return true;
  }

  /**
   * @param {object} object an innermost one
   * @param {number} look the same for two references to one object
   * @returns {boolean} false if it was seen before
   */
  add(object, look) {
    const { objects, count } = this;
    if (this.onlySet) return this.addToSet(object);
    for (let i = 0; i < FEW; i++) {
      if (i === count) {
        objects[i] = object;
        this.count = count + 1;
        return true;
      }
      if (objects[i] === object) return false;
    }
    if (this.heads === null) this.makeTable();
    const { heads, next, slots } = this;
    const slot = (look ^ (look >>> 15)) & (SLOTS - 1);
    let first = heads[slot];
    if (first >= count || slots[first] !== slot) first = -1;
    let length = 0;
    for (let i = first; i >= 0; i = next[i]) {
      if (objects[i] === object) return false;
      length++;
    }
    if (this.set !== null && this.set.has(object)) return false;
    if (length >= CHAIN || count >= MOST) return this.addToSet(object);
    slots[count] = slot;
    next[count] = first;
    heads[slot] = count;
    objects[count] = object;
    this.count = count + 1;
    return true;
  }

  addToSet(object) {
    if (this.set === null) this.set = new Set();
    // `has` first: measured on fresh objects it halves the cost of `add` and a look at the size.
    if (this.set.has(object)) return false;
    this.set.add(object);
    if (!this.onlySet && this.set.size >= MANY_ALIKE) {
      this.onlySet = true;
      for (let i = 0; i < this.count; i++) this.set.add(this.objects[i]);
    }
    return true;
  }

  makeTable() {
    this.heads = new Uint16Array(SLOTS);
    this.next = new Int16Array(MOST);
    this.slots = new Uint16Array(MOST);
    // No number of a slot, so that the first few, which are not in the table, are not found by what is left there.
    this.slots.fill(SLOTS, 0, FEW);
    // Allocated at once: growing it object by object would copy it again and again.
    this.objects = [...this.objects, ...new Array(MOST - FEW).fill(null)];
  }

  /** Keeps nothing of a message alive. */
  clear() {
    const { objects, count } = this;
    if (count > 64) objects.fill(null, 0, count);
    else for (let i = 0; i < count; i++) objects[i] = null;
    this.count = 0;
    this.set = null;
    this.onlySet = false;
    const { above } = this;
    for (let i = 0; i < above.length && above[i] !== null; i++) above[i] = null;
  }
}

/**
 * Two references to one innermost object are written as the same bytes, but for where its shape is defined.
 * @param {Buffer} bytes
 * @param {DataView} view on the same bytes
 * @param {number} start of its values
 * @param {number} end
 * @param {number} strings a sum of what is not among the bytes
 * @returns {number}
 */
function lookOf(bytes, view, start, end, strings) {
  const size = end - start;
  if (size < 4) {
    let sum = Math.imul(strings, 31) + size;
    for (let i = start; i < end; i++) sum = (Math.imul(sum, 31) + bytes[i]) | 0;
    return sum;
  }
  const head = view.getInt32(start, true);
  const middle = view.getInt32((start + end - 4) >> 1, true);
  const tail = view.getInt32(end - 4, true);
  return (Math.imul(strings, 31) + head + Math.imul(middle, 0x85ebca6b) + Math.imul(tail, 0x9e3779b1) + size) | 0;
}

module.exports = { SeenObjects, lookOf };
