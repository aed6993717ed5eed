'use strict';

// The input of the example: temperatures of some stations, always the same ones.

const { closeSync, openSync, writeSync } = require('node:fs');

const STATIONS = ['Bergen', 'Cusco', 'Dakar', 'Hobart', 'Kraków', 'Nuuk', 'Pune', 'Ulaanbaatar'];
const ROWS_AT_ONCE = 50_000;

/** @param {string} file @param {number} rows */
exports.writeReadings = (file, rows) => {
  const fd = openSync(file, 'w');
  for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
    let text = '';
    for (let row = from; row < Math.min(rows, from + ROWS_AT_ONCE); row++) text += `${reading(row)}\n`;
    writeSync(fd, text);
  }
  closeSync(fd);
};

/** @param {number} row @returns {string} station,celsius */
function reading(row) {
  const mixed = Math.imul(row ^ (row >>> 7), 0x9e3779b1) >>> 0;
  const station = mixed % STATIONS.length;
  return `${STATIONS[station]},${(station * 4 - 10 + ((mixed >>> 8) % 200) / 10).toFixed(1)}`;
}
exports.reading = reading;
