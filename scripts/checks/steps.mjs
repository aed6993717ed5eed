// Every check there is, each with the command that runs it and the way its outcome is counted.
// `npm test` runs all of them, `npm run check` those marked quick.
import { existsSync } from 'node:fs'
import path from 'node:path'

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} command
 * @property {string[]} args
 * @property {Record<string, string>} [env]
 * @property {boolean} [quick] part of `npm run check` too, perhaps with quickArgs
 * @property {string[]} [quickArgs]
 * @property {'cargo' | 'jest' | 'plain' | 'one'} counts how the output tells what passed; 'one': the exit code is the one test
 */

/** @param {string} root @returns {Step[]} */
export function allSteps(root) {
  const has = (file) => existsSync(path.join(root, file))
  const bin = (name, file) => path.join(root, 'node_modules', name, file)
  const script = (name) => path.join(root, 'scripts', name)
  const node = process.execPath
  const clippy = (...what) => ['clippy', ...what, '--quiet', '--', '-D', 'warnings']
  // The addon has no Rust tests of its own, and what it exports is called from JavaScript only.
  const logic = ['--workspace', '--exclude', 'farm-native']

  /** @type {Step[]} */
  const steps = [
    { name: 'floors', command: node, args: [script('check-floors.mjs')], counts: 'one', quick: true },
    { name: 'format', command: 'cargo', args: ['fmt', '--all', '--check'], counts: 'one', quick: true },
    { name: 'clippy', command: 'cargo', args: clippy(...logic, '--all-targets'), counts: 'one', quick: true },
    { name: 'clippy of the addon', command: 'cargo', args: clippy('-p', 'farm-native'), counts: 'one', quick: true },
    { name: 'types in lib', command: node, args: [bin('typescript', 'bin/tsc'), '-p', '.'], counts: 'one', quick: true },
    { name: 'rust', command: 'cargo', args: ['test', '--quiet', ...logic], counts: 'cargo' },
    { name: 'jest', command: node, args: [bin('jest', 'bin/jest.js')], counts: 'jest', quick: true, quickArgs: ['--selectProjects', 'quick'] },
    { name: 'fallbacks', command: node, args: [script('fallbacks.mjs'), '--all-at-once', '__test__/(abort|call|close|crash|guard|timeout|wedged|slow/fork|slow/payload)\\.spec'], counts: 'plain' },
    { name: 'packed', command: node, args: [script('pack-test.mjs')], counts: 'plain' }
  ]
  if (has('__test__/types/tsconfig.json')) {
    steps.splice(4, 0, { name: 'types of the face', command: node, args: [bin('typescript', 'bin/tsc'), '-p', '__test__/types'], counts: 'one', quick: true })
  }
  if (has('crates/transport/tests/loom.rs')) {
    steps.push({
      name: 'loom',
      command: 'cargo',
      args: ['test', '--quiet', '-p', 'farm-transport', '--release', '--test', 'loom'],
      // A folder of its own: another cfg would have every crate built anew at each change between the two.
      // And without what only a binary that is shipped gains from: linking with LTO takes longer than the models.
      env: {
        RUSTFLAGS: '--cfg loom',
        CARGO_TARGET_DIR: path.join(root, 'target', 'loom'),
        CARGO_PROFILE_RELEASE_LTO: 'off',
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16'
      },
      counts: 'cargo'
    })
  }
  return steps
}
