'use strict'

/** What both kinds of specs share. The sources run as they are written, without a transform. */
const shared = {
  rootDir: __dirname,
  roots: ['<rootDir>/__test__'],
  testEnvironment: 'node',
  transform: {}
}

// These start many processes, push hundreds of MiB or wait for long; `npm run check` leaves them out.
const slow = ['__test__/slow/']

module.exports = {
  // Patience for a slow machine; the limit only ends a hang.
  testTimeout: 60_000,
  // Most of a spec's time is waiting for processes: two side by side also on two cores.
  maxWorkers: 2,
  projects: [
    { ...shared, displayName: 'quick', testMatch: ['**/*.spec.js'], testPathIgnorePatterns: ['/node_modules/', ...slow] },
    { ...shared, displayName: 'slow', testMatch: ['**/slow/**/*.spec.js'] }
  ]
}
