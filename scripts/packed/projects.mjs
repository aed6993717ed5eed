// The projects a stranger may have: CommonJS, ES modules, TypeScript. Each says what it makes of the README's
// example and how it is run.
import path from 'node:path'

/** @typedef {import('./example.mjs').Example} Example */

const tsconfig = (root) => JSON.stringify({
  compilerOptions: {
    strict: true,
    target: 'es2023',
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node'],
    // The one package a TypeScript user has anyway; the rest of the project is empty.
    typeRoots: [path.join(root, 'node_modules', '@types')]
  },
  files: ['main.ts']
})

export const projects = [
  {
    name: 'a CommonJS project',
    manifest: {},
    /** @param {Example} example */
    files: (example) => ({ 'main.js': example.main, ...example.modules }),
    /** @param {string} _root */
    commands: (_root) => [['main.js']]
  },
  {
    name: 'the command line',
    manifest: {},
    /** What the example prints goes through a worker as a line. @param {Example} example */
    files: (example) => ({ 'worker.js': 'module.exports = (line) => `${line}\\n`', lines: `${example.prints ?? 'a line'}\n` }),
    /** @param {string} _root */
    commands: (_root) => [[path.join('node_modules', '.bin', 'farm'), 'map', './worker.js', '--lines', 'lines']]
  },
  {
    name: 'an ES-module project',
    manifest: { type: 'module' },
    /** @param {Example} example */
    files: (example) => ({ 'main.js': asModule(example.main), ...mapValues(example.modules, asModule) }),
    /** @param {string} _root */
    commands: (_root) => [['main.js']]
  },
  {
    name: 'a TypeScript project',
    manifest: {},
    /** @param {Example} example @param {string} root */
    files: (example, root) => ({ 'main.ts': asModule(example.main), 'tsconfig.json': tsconfig(root), ...example.modules }),
    /** @param {string} root */
    commands: (root) => [[path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.'], ['main.js']]
  }
]

/** The same program in the other module syntax. @param {string} text */
function asModule(text) {
  const module = text
    .replace(/^(?:const|let|var)\s+(\{[^}]*\}|\w+)\s*=\s*require\((['"][^'"]+['"])\);?/gm, 'import $1 from $2')
    .replace(/^(?:module\.)?exports\.(\w+)\s*=\s*/gm, 'export const $1 = ')
    .replace(/^module\.exports\s*=\s*(\{[\s\w,]*\});?\s*$/gm, 'export $1')
    .replace(/^module\.exports\s*=\s*/gm, 'export default ')
  const left = /\brequire\(|\bexports\b/.exec(module)
  if (left) throw new Error(`the README's example uses ${left[0]} in a way this test cannot turn into an ES module`)
  return module
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}
