// The samples of a soak as an SVG: one panel for each figure, time from left to right.

const WIDTH = 760
const HEIGHT = 110
const LEFT = 70
const PANELS = [
  ['callsPerSecond', 'calls per second'],
  ['mib', 'private memory outside of the JavaScript heap, MiB'],
  ['descriptors', 'file descriptors'],
  ['threads', 'threads'],
  ['exits', 'workers that have ended']
]

/** @param {Record<string, number>[]} samples @returns {string} */
export function plot(samples) {
  const end = Math.max(...samples.map(({ seconds }) => seconds))
  const panels = PANELS.map(([name, title], index) => panel(samples, name, title, index * HEIGHT, end))
  const size = `width="${WIDTH}" height="${PANELS.length * HEIGHT + 20}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="white"/>
${panels.join('\n')}
<text x="${WIDTH - 10}" y="${PANELS.length * HEIGHT + 12}" text-anchor="end">${(end / 60).toFixed(1)} minutes</text>
</svg>
`
}

function panel(samples, name, title, top, end) {
  const most = Math.max(1, ...samples.map((sample) => sample[name])) * 1.1
  const [y0, y1] = [top + HEIGHT - 14, top + 24]
  const points = samples.map((sample) => {
    const x = LEFT + (sample.seconds / end) * (WIDTH - LEFT - 10)
    return `${x.toFixed(1)},${(y0 - (sample[name] / most) * (y0 - y1)).toFixed(1)}`
  })
  return `<text x="${LEFT}" y="${top + 16}" font-weight="bold">${title}</text>
<text x="${LEFT - 6}" y="${y1 + 4}" text-anchor="end">${Math.round(most)}</text><text x="${LEFT - 6}" y="${y0}" text-anchor="end">0</text>
<path d="M${LEFT} ${y1}V${y0}H${WIDTH - 10}" fill="none" stroke="#999"/>
<polyline points="${points.join(' ')}" fill="none" stroke="#1f6feb" stroke-width="1.5"/>`
}
