// Runs steps one after the other, lets their output through and counts what passed and what failed.
import { spawn } from 'node:child_process'

/**
 * @param {string} root
 * @param {import('./steps.mjs').Step[]} steps
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runSteps(root, steps) {
  let passed = 0
  let failed = 0
  let skipped = 0
  const broken = []
  for (const step of steps) {
    const started = Date.now()
    console.log(`\n== ${step.name}`)
    const { status, output } = await runStep(root, step)
    const counted = count(step.counts, status, output)
    passed += counted.passed
    failed += counted.failed
    skipped += counted.skipped
    if (counted.failed > 0) broken.push(step.name)
    console.log(`== ${step.name}: ${counted.failed === 0 ? 'ok' : 'FAILED'}, ${((Date.now() - started) / 1000).toFixed(1)} s`)
  }
  if (broken.length > 0) console.log(`\nfailed: ${broken.join(', ')}`)
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return { passed, failed }
}

function runStep(root, step) {
  return new Promise((resolve, reject) => {
    const child = spawn(step.command, step.args, {
      cwd: root, env: { ...process.env, ...step.env }, stdio: ['ignore', 'pipe', 'pipe']
    })
    let output = ''
    child.stdout.on('data', (chunk) => { output += chunk; process.stdout.write(chunk) })
    child.stderr.on('data', (chunk) => { output += chunk; process.stderr.write(chunk) })
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })
}

const patterns = {
  cargo: /^test result: \S+ (\d+) passed; (\d+) failed(?:; (\d+) ignored)?/gm,
  plain: /^(\d+) passed, (\d+) failed$/gm
}

/** @param {string} how @param {number | null} status @param {string} output */
export function count(how, status, output) {
  let passed = 0
  let failed = 0
  let skipped = 0
  if (how === 'jest') {
    const line = /^Tests:\s+(.*)$/m.exec(output)?.[1] ?? ''
    passed = Number(/(\d+) passed/.exec(line)?.[1] ?? 0)
    failed = Number(/(\d+) failed/.exec(line)?.[1] ?? 0)
    skipped = Number(/(\d+) skipped/.exec(line)?.[1] ?? 0)
  } else if (how !== 'one') {
    for (const match of output.matchAll(patterns[how])) {
      passed += Number(match[1])
      failed += Number(match[2])
      skipped += Number(match[3] ?? 0)
    }
  } else if (status === 0) {
    passed = 1
  }
  // A step that ended badly without a failed test (it did not compile, it crashed) is one failure; one that
  // ended well without a test has tested nothing, and that is one too.
  if ((status !== 0 || passed === 0) && failed === 0) failed = 1
  return { passed, failed, skipped }
}
