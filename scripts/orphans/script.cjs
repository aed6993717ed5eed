'use strict'

// A fork script with processes of its own, which never answers once it has said their pids.

const { spawn } = require('node:child_process')

process.on('message', () => {
  process.send([process.pid, spawn('sleep', ['100000'], { stdio: 'ignore' }).pid])
})
