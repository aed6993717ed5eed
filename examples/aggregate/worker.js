'use strict';

const { closeSync, openSync, readSync } = require('node:fs');

const NEWLINE = 10;
/** A row is shorter than this. */
const LONGEST_ROW = 256;

/**
 * The rows "station,celsius" that begin in one part of a file, summed up.
 * @param {{ file: string, from: number, to: number }} part
 * @returns {Map<string, { count: number, sum: number, least: number, most: number }>}
 */
exports.summarise = ({ file, from, to }) => {
  const summary = new Map();
  for (const row of rowsOf(file, from, to)) {
    const comma = row.indexOf(',');
    const station = row.slice(0, comma);
    const celsius = Number(row.slice(comma + 1));
    const seen = summary.get(station);
    if (seen === undefined) summary.set(station, { count: 1, sum: celsius, least: celsius, most: celsius });
    else {
      seen.count++;
      seen.sum += celsius;
      seen.least = Math.min(seen.least, celsius);
      seen.most = Math.max(seen.most, celsius);
    }
  }
  return summary;
};

/** @param {string} file @param {number} from @param {number} to */
function rowsOf(file, from, to) {
  // One byte before the part tells whether a row begins at its first; the row that ends it may reach beyond.
  const start = Math.max(0, from - 1);
  const bytes = Buffer.allocUnsafe(to - start + LONGEST_ROW);
  const fd = openSync(file, 'r');
  const length = readSync(fd, bytes, 0, bytes.length, start);
  closeSync(fd);
  const first = from === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
  const last = bytes.subarray(0, length).indexOf(NEWLINE, to - start - 1);
  return bytes.toString('utf8', first, last < 0 ? length : last).split('\n').filter(Boolean);
}
