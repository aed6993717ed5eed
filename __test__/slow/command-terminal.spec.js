'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { folder } = require('../fixtures/command/run');
const { Terminal, drawn } = require('../fixtures/command/terminal');

/** Inputs that wait until the gate is there; each is in the log once it runs. @param {number} count */
function gated(count) {
  const at = folder({ lines: Array.from({ length: count }, (_, i) => `input-${i}\n`).join(''), log: '' });
  const data = JSON.stringify({ log: path.join(at, 'log'), gate: path.join(at, 'gate') });
  return {
    at,
    args: ['--lines', '--method', 'gated', '-j', '2', '--worker-data', data, 'lines'],
    open: () => fs.writeFileSync(path.join(at, 'gate'), ''),
    ran: () => fs.readFileSync(path.join(at, 'log'), 'utf8').trimEnd().split('\n').filter(Boolean),
  };
}

test('the bar is drawn, drawn again, and gone at the end, when the summary stands there', async () => {
  const work = gated(6);
  const terminal = new Terminal([...work.args], { cwd: work.at, redirect: '> out' });
  await terminal.until(/\[-+\] 0 0%, 0\/s, 2\/2 busy/);
  await terminal.until(/busy[^]*busy[^]*busy/);
  work.open();
  expect(await terminal.ended).toBe(0);
  expect(terminal.text).toMatch(/6 done, 0 failed/);
  expect(drawn(terminal.text).at(-1)).toMatch(/^farm: worst delay/);
  expect(fs.readFileSync(path.join(work.at, 'out'), 'utf8').split('\n').sort().join(' ')).toBe(' input-0 input-1 input-2 input-3 input-4 input-5');
});

test.each([[30], [12], [1]])('nothing is longer than a terminal of %d columns while it is drawn', async (columns) => {
  const work = gated(6);
  const terminal = new Terminal(work.args, { cwd: work.at, redirect: '> out', columns });
  await terminal.until(/pid \d+ \S+\r\n[^]*\u001b\[/);
  const from = terminal.text.indexOf('\r\n') + 2;
  const bars = () => drawn(terminal.text.slice(from));
  await terminal.until(columns > 1 ? /\u001b\[1G[^\u001b]+[^]*\u001b\[1G[^\u001b]+/ : /(\u001b\[1G[^]*){4}/, from);
  expect(Math.max(0, ...bars().map((line) => line.length))).toBeLessThan(Math.max(columns, 2));
  work.open();
  expect(await terminal.ended).toBe(0);
});

test('the bar follows a resize', async () => {
  const work = gated(6);
  const terminal = new Terminal(work.args, { cwd: work.at, redirect: '> out', columns: 120 });
  await terminal.until(/\[-{40}\] 0 0%/);
  terminal.resize(40);
  await terminal.until(/\u001b\[1G0 0%|\u001b\[1G\[-{8,20}\] 0 0%/);
  const from = terminal.text.length;
  await terminal.until(/busy[^]*\u001b\[1G/, from);
  // The first piece may be the end of a line that was begun before.
  expect(Math.max(...drawn(terminal.text.slice(from)).slice(1).map((line) => line.length))).toBeLessThan(40);
  terminal.resize(120);
  await terminal.until(/\[-{40}\] 0 0%/, terminal.text.length);
  work.open();
  expect(await terminal.ended).toBe(0);
});

test('Ctrl-C once: what runs is finished, nothing else is started, the journal knows; resumed, the rest is done exactly once', async () => {
  const work = gated(50);
  const args = [...work.args, '--resume', 'journal'];
  const terminal = new Terminal(args, { cwd: work.at, redirect: '> out' });
  await terminal.until(/2\/2 busy/);
  while (work.ran().length < 2) await new Promise(setImmediate);
  terminal.type('\u0003');
  await terminal.until(/SIGINT: finishing what runs; once more kills it/);
  work.open();
  expect(await terminal.ended).toBe(130);
  const first = work.ran().length;
  expect(first).toBeLessThan(10);
  expect(fs.readFileSync(path.join(work.at, 'out'), 'utf8').trimEnd().split('\n')).toHaveLength(first);

  const again = new Terminal(args, { cwd: work.at, redirect: '>> out' });
  expect(await again.ended).toBe(0);
  expect(again.text).toContain(`${50 - first} done, 0 failed, ${first} done before`);
  const all = Array.from({ length: 50 }, (_, i) => `input-${i}`).sort();
  expect(work.ran().sort()).toEqual(all);
  expect(fs.readFileSync(path.join(work.at, 'out'), 'utf8').trimEnd().split('\n').sort()).toEqual(all);
});

test('Ctrl-C twice: the workers are killed and the terminal is free', async () => {
  const work = gated(50);
  const terminal = new Terminal([...work.args], { cwd: work.at, redirect: '> out' });
  await terminal.until(/2\/2 busy/);
  while (work.ran().length < 2) await new Promise(setImmediate);
  terminal.type('\u0003');
  await terminal.until(/once more kills it/);
  terminal.type('\u0003');
  expect(await terminal.ended).toBe(130);
  expect(fs.existsSync(path.join(work.at, 'gate'))).toBe(false);
  expect(terminal.text).toContain('0 done, 0 failed');
});

test('results on the same terminal stand on lines of their own', async () => {
  const at = folder({ lines: 'a\nb\n' });
  const terminal = new Terminal(['--lines', '--ordered', '--method', 'upper', 'lines'], { cwd: at });
  expect(await terminal.ended).toBe(0);
  expect(drawn(terminal.text)).toEqual(expect.arrayContaining(['A', 'B']));
  const unended = new Terminal(['--lines', '--method', 'same', 'lines', '-j', '1', '--limit-rate', '2/s'], { cwd: at });
  expect(await unended.ended).toBe(0);
  expect(drawn(unended.text)).toEqual(expect.arrayContaining(['a', 'b']));
});

test('a terminal that can do nothing but write gets plain lines', async () => {
  const at = folder({ lines: 'a\nb\n' });
  const terminal = new Terminal(['--lines', '--ordered', '--method', 'upper', 'lines'], { cwd: at, term: 'dumb' });
  expect(await terminal.ended).toBe(0);
  expect(terminal.text).toMatch(/\r\nA\r\nB\r\nfarm: 2 done, 0 failed/);
  expect(terminal.text).not.toContain('\u001b');
});

test('no input and a terminal on standard input: the usage', async () => {
  const terminal = new Terminal([], { cwd: folder() });
  expect(await terminal.ended).toBe(2);
  expect(terminal.text).toMatch(/no inputs[^]*Usage: farm map \[options\] <worker>/);
});
