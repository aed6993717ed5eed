// From samples to medians and ratios.
import { median } from './drive.mjs';

/**
 * @typedef {{ node: string, workload: string, rival: string, round: number, metrics?: Record<string, number>, error?: string, left: number, stuck: boolean }} Sample
 */

/** The samples of one Node, asked for by workload, rival and metric. */
export class Figures {
  #byKey = new Map();
  #workloads;

  /**
   * @param {Sample[]} samples of one Node
   * @param {Record<string, any>} workloads name → module
   */
  constructor(samples, workloads) {
    this.#workloads = workloads;
    for (const sample of samples) {
      if (!sample.metrics) continue;
      const key = `${sample.workload} ${sample.rival}`;
      if (!this.#byKey.has(key)) this.#byKey.set(key, new Map());
      this.#byKey.get(key).set(sample.round, sample.metrics);
    }
  }

  #rounds(workload, rival) {
    return this.#byKey.get(`${workload} ${rival}`) ?? new Map();
  }

  /** Who has figures for a workload, in the order measured. */
  rivals(workload) {
    return [...this.#byKey.keys()]
      .filter((key) => key.startsWith(`${workload} `))
      .map((key) => key.slice(workload.length + 1));
  }

  /** @returns {number | undefined} */
  median(workload, metric, rival = 'farm') {
    const values = [...this.#rounds(workload, rival).values()].map((metrics) => metrics[metric]).filter((value) => value !== undefined);
    return values.length > 0 ? median(values) : undefined;
  }

  /**
   * farm ÷ rival. Each round gives a ratio of two measurements made one after the other; the median of those holds
   * still where the machine does not.
   * @returns {number | undefined}
   */
  ratio(workload, metric, rival) {
    const theirs = this.#rounds(workload, rival);
    const ratios = [];
    for (const [round, metrics] of this.#rounds(workload, 'farm')) {
      const other = theirs.get(round);
      if (other && metric in other && metric in metrics) ratios.push(metrics[metric] / other[metric]);
    }
    return ratios.length > 0 ? median(ratios) : undefined;
  }

  /** The rival that farm does worst against. */
  best(workload, metric) {
    const { higher } = this.#workloads[workload].metrics[metric];
    let best;
    for (const rival of this.rivals(workload)) {
      if (rival === 'farm') continue;
      const ratio = this.ratio(workload, metric, rival);
      if (ratio === undefined) continue;
      if (!best || (higher ? ratio < best.ratio : ratio > best.ratio)) best = { rival, ratio };
    }
    return best;
  }
}
