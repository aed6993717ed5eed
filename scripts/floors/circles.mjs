// Finds circles among imports, for JavaScript files and Rust modules alike.

/**
 * @param {Map<string, Map<string, number>>} edges file -> imported file -> line of the import
 * @param {string} what the word for what stands in the circle
 * @returns {import('./files.mjs').Finding[]} one finding for each circle found, at the import that closes it
 */
export function findCircles(edges, what) {
  const findings = []
  const done = new Set()
  const path = []

  function visit(file) {
    if (done.has(file)) return
    const at = path.indexOf(file)
    if (at !== -1) {
      const circle = path.slice(at)
      const last = circle[circle.length - 1]
      findings.push({
        file: last,
        line: edges.get(last)?.get(file) ?? 1,
        message: `${what} in a circle: ${[...circle, file].join(' -> ')}; move what both need into a file below them`
      })
      return
    }
    path.push(file)
    for (const next of edges.get(file)?.keys() ?? []) if (next !== file) visit(next)
    path.pop()
    done.add(file)
  }

  for (const file of edges.keys()) visit(file)
  return findings
}
