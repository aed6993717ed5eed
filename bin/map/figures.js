'use strict';

/** Figures as people read them. */

/** @param {number} number */
function amount(number) {
  return number < 10 && !Number.isInteger(number) ? number.toFixed(1) : Math.round(number).toString().replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** @param {number} bytes */
function size(bytes) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

/** @param {number} seconds */
function time(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(Math.floor(seconds % 60)).padStart(2, '0')}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}

module.exports = { amount, size, time };
