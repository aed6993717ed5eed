// How late a timer of this thread fires: what a server in this process would make its clients wait.

const EVERY = 5

export class LoopDelay {
  constructor() {
    this.worst = 0
    this.last = performance.now()
    this.timer = setInterval(() => this.look(), EVERY)
  }

  look() {
    const now = performance.now()
    this.worst = Math.max(this.worst, now - this.last - EVERY)
    this.last = now
  }

  /** @returns {number} ms */
  stop() {
    this.look()
    clearInterval(this.timer)
    return this.worst
  }
}
