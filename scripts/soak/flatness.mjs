// Whether what a process held stayed as it was: the samples behind the warm-up, the first of them against the last.

/** The part of the samples in which everything still comes into being. */
const WARM_UP = 0.3
/** What may come and go: workers and farms that were just there or not when a sample was taken. */
const SLACK = { mib: 48, heap: 24, descriptors: 24, threads: 4, segments: 24 }

/** Seconds without a call that a busy machine does not explain. */
const SILENCE = 5

/** @param {number[]} list */
export function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1]
}

/** @param {Record<string, number>[]} samples @returns {number} in seconds */
function longestSilence(samples) {
  let [longest, since] = [0, samples[0].seconds]
  for (const { seconds, callsPerSecond } of samples) {
    if (callsPerSecond > 0) since = seconds
    longest = Math.max(longest, seconds - since)
  }
  return longest
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
  if (longestSilence(settled) >= SILENCE) wrong.push(`there was no call for ${Math.round(longestSilence(settled))} s`)
  return wrong
}
