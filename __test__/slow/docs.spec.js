'use strict';

/**
 * Every program in the README and the docs runs and prints what it says. A program is a code block with a line
 * `// main.<ending>`; lines of that form start a file, and `// prints X` says what the program must print: X as a line, and
 * of `X, Y` each as a line of its own, one after the other. A block whose last file is a Jest test is run by Jest. Links between the
 * pages lead somewhere, and no line of text is overlong.
 */

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...pagesBelow('docs')];
const TSC = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const JEST = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');

/** @param {string} folder @returns {string[]} */
function pagesBelow(folder) {
  return fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    return entry.isDirectory() ? pagesBelow(name) : name.endsWith('.md') ? [name] : [];
  });
}

/** @param {string} page @returns {{ title: string, files: Record<string, string> }[]} */
function programsOf(page) {
  const text = fs.readFileSync(path.join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(/^```(?:js|ts)\n([^]*?)^```/gm)].map((match) => ({ code: match[1], line: text.slice(0, match.index).split('\n').length }));
  return blocks
    .map(({ code, line }) => ({ title: `${page}, line ${line}`, files: filesOf(code) }))
    .filter(({ files }) => Object.keys(files).some((name) => /^main\.|\.test\.js$/.test(name)));
}

/** @param {string} code */
function filesOf(code) {
  /** @type {Record<string, string>} */
  const files = {};
  const parts = code.split(/^\/\/ ([\w.-]+\.[cm]?[jt]s)$/m).slice(1);
  for (let at = 0; at < parts.length; at += 2) files[parts[at]] = parts[at + 1];
  return files;
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const started = new Set();
/** @type {string} */
let folder;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'farm-docs-'));
});

afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  fs.rmSync(folder, { recursive: true, force: true });
});

/** @param {string[]} args of node @returns {Promise<{ code: number | null, text: string }>} */
function run(args) {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (text += bytes));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      started.delete(child);
      resolve({ code, text });
    });
  });
}

/** @param {Record<string, string>} files @returns {Promise<string>} what the program printed */
async function outputOf(files) {
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(ROOT, path.join(folder, 'node_modules', 'farm'));
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "name": "uses-farm" }');
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  const names = Object.keys(files);
  if (names.some((name) => /\.[cm]?ts$/.test(name))) {
    const types = path.join(ROOT, 'node_modules', '@types');
    const compilerOptions = { strict: true, target: 'es2023', module: 'nodenext', types: ['node'], typeRoots: [types] };
    fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: names }));
    expect(await run([TSC, '-p', '.'])).toEqual({ code: 0, text: '' });
  }
  const main = names.find((name) => name.startsWith('main.'));
  const { code, text } = await run(main ? [main.replace(/ts$/, 'js')] : [JEST, '--rootDir', folder]);
  expect({ code, text }).toMatchObject({ code: 0 });
  return text;
}

const programs = PAGES.flatMap(programsOf);

test('there are programs', () => {
  expect(programs.length).toBeGreaterThan(4);
});

test.each(programs)('$title', async ({ files }) => {
  const output = await outputOf(files);
  const promised = Object.values(files).flatMap((text) => [...text.matchAll(/\/\/ prints (.+)$/gm)].map((match) => match[1]));
  for (const lines of promised) expect(`\n${output}`).toContain(`\n${lines.split(', ').join('\n')}\n`);
});

test.each(PAGES)('the links of %s lead somewhere', (page) => {
  const text = fs.readFileSync(path.join(ROOT, page), 'utf8').replace(/^```[^]*?^```/gm, '');
  const targets = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)].map((match) => match[1]);
  const dead = targets.filter((target) => !fs.existsSync(path.join(ROOT, path.dirname(page), target)));
  expect(dead).toEqual([]);
});

test.each(PAGES)('the text of %s is wrapped at 130 characters, tables apart', (page) => {
  const text = fs.readFileSync(path.join(ROOT, page), 'utf8').replace(/^```[^]*?^```/gm, '');
  expect(text.split('\n').filter((line) => [...line].length > 130 && !line.startsWith('|'))).toEqual([]);
});
