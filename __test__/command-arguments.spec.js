'use strict';

const { parse } = require('../bin/map/arguments');
const { UsageError } = require('../bin/map/exit');

test.each([
  ['--jobs 0', ['--jobs', '0', 'there'], /--jobs <n>' argument '0' is invalid\. It must be a whole number from 1 to 1024/],
  ['--jobs x', ['--jobs', 'x', 'there'], /--jobs <n>' argument 'x' is invalid/],
  ['--timeout soon', ['--timeout', 'soon', 'there'], /--timeout <time>' argument 'soon' is invalid\. It must be a time such as 30 \(seconds\)/],
  ['--limit-rate 0', ['--limit-rate', '0', 'there'], /'0' is invalid\. It must be a number of inputs such as 10\/s/],
  ['--worker-data that is no JSON', ['--worker-data', '{a', 'there'], /'\{a' is invalid\. It must be JSON/],
  ['--as something', ['--as', 'xml', 'there'], /'xml' is invalid\. Allowed choices are path, text, buffer, json/],
  ['an unknown option', ['--time-out', '3', 'there'], /unknown option '--time-out'\n\(Did you mean --timeout\?\)/],
  ['--out for lines', ['--lines', '--out', 'o'], /--out needs files as inputs/],
  ['--ext without --out', ['--ext', '.x', 'there'], /--ext needs --out/],
  ['-0 with files', ['-0', 'there'], /-0 reads the names from standard input/],
  ['--lines with --ndjson', ['--lines', '--ndjson'], /--lines and --ndjson exclude each other/],
  ['--as path for lines', ['--lines', '--as', 'path'], /a line is no file/],
  ['- beside files', ['there', '-'], /give no files beside it/],
  ['--fail-fast with --keep-going', ['--fail-fast', '--keep-going', 'there'], /exclude each other/],
  ['an ending with a slash', ['--out', 'o', '--ext', 'a/b', 'there'], /It must be the end of a file name/],
  ['a value that is missing', ['there', '--out'], /'--out <dir>' argument missing/],
])('%s is refused', (_, args, message) => {
  expect(() => parse(['worker.js', ...args])).toThrow(UsageError);
  expect(() => parse(['worker.js', ...args])).toThrow(message);
});

test.each([
  ['a time', ['--timeout', '1.5'], { timeout: 1500 }],
  ['a time with a unit', ['--timeout', '250ms'], { timeout: 250 }],
  ['minutes', ['--timeout', '2m'], { timeout: 120_000 }],
  ['a rate', ['--limit-rate', '90/m'], { limitRate: 1.5 }],
  ['a rate without a unit', ['--limit-rate', '10'], { limitRate: 10 }],
  ['jobs and retries', ['-j', '3', '--retries', '0'], { jobs: 3, retries: 0 }],
  ['worker data', ['--worker-data', '{"a":null}'], { workerData: { a: null } }],
  ['what the function gets by itself', [], { as: 'path' }],
  ['of lines', ['--lines'], { as: 'text' }],
  ['of records', ['--ndjson'], { as: 'json' }],
])('%s', (_, args, options) => {
  expect(parse(['worker.js', ...args])).toMatchObject({ worker: 'worker.js', inputs: [], ...options });
});

test('options stand anywhere; behind -- everything is an input', () => {
  expect(parse(['--lines', 'worker.js', '-j', '2', 'a', '--', '-b', '--out'])).toMatchObject({ worker: 'worker.js', inputs: ['a', '-b', '--out'], jobs: 2 });
});
