// Whether what a process held stayed as it was: the samples behind the warm-up, the first of them against the last.

/** The part of the samples in which everything still comes into being. */
const WARM_UP = 0.3
/** What may come and go: workers and farms that were just there or not when a sample was taken. */
const SLACK = { mib: 48, descriptors: 24, threads: 4, segments: 24 }

/** @param {number[]} list */
function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1]
}

/** @param {Record<string, number>[]} samples @returns {string[]} what is wrong */
export function findings(samples) {
  const settled = samples.slice(Math.floor(samples.length * WARM_UP))
  if (settled.length < 6) return [`${samples.length} samples are too few`]
  const third = Math.floor(settled.length / 3)
  const wrong = Object.entries(SLACK).flatMap(([name, slack]) => {
    const [from, to] = [settled.slice(0, third), settled.slice(-third)].map((part) => median(part.map((sample) => sample[name])))
    return to - from > slack ? [`${name} went from ${from} to ${to}`] : []
  })
  if (settled.some(({ callsPerSecond }) => callsPerSecond === 0)) wrong.push('there were seconds without a call')
  return wrong
}
