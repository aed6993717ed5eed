// The least a program needs to use workers without a pool library: ids, a table of promises, and the least loaded
// worker next. `depth` is the number of tasks a worker may hold; the rest wait here, first come first served.

export class BarePool {
  #lines;
  #depth;
  #load;
  #open = new Map();
  #waiting = [];
  #head = 0;
  #next = 0;

  /**
   * @param {Array<{ send(message: unknown[]): void }>} lines one per worker
   * @param {number} depth
   */
  constructor(lines, depth = Infinity) {
    this.#lines = lines;
    this.#depth = depth;
    this.#load = lines.map(() => 0);
  }

  run(method, arg) {
    return new Promise((resolve) => {
      const id = this.#next++;
      this.#open.set(id, resolve);
      this.#place([id, method, arg]);
    });
  }

  /** Called for each reply; `from` is the index of the worker that sent it. */
  settle(from, id, value) {
    const resolve = this.#open.get(id);
    this.#open.delete(id);
    this.#load[from]--;
    if (this.#head < this.#waiting.length) {
      this.#place(this.#waiting[this.#head++]);
      if (this.#head === this.#waiting.length) {
        this.#waiting.length = 0;
        this.#head = 0;
      }
    }
    resolve(value);
  }

  #place(message) {
    const load = this.#load;
    let chosen = 0;
    for (let i = 1; i < load.length; i++) if (load[i] < load[chosen]) chosen = i;
    if (load[chosen] >= this.#depth) {
      this.#waiting.push(message);
      return;
    }
    load[chosen]++;
    this.#lines[chosen].send(message);
  }
}
