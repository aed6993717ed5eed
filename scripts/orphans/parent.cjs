'use strict'

// A parent that will not live long: brings its workers into the state that is asked for, says `ready` and their pids, and
// goes on until it is ended, or ends itself as it is told.
//
//   node parent.cjs <state> <end>

const path = require('node:path')
const { WorkerFarm } = require('../../index.js')

const [, , state, end] = process.argv
const worker = path.join(__dirname, 'worker.cjs')

/** What happens to this process when all is as it should be. */
const ends = {
  throw: () => { throw new Error('as planned') },
  reject: () => { Promise.reject(new Error('as planned')) },
  exit: () => process.exit(3),
  abort: () => process.abort()
}

function ready(pids) {
  process.stdout.write(`ready ${JSON.stringify(pids)}\n`, () => ends[end]?.())
}

/** A worker that does this for ever. */
const doing = (method) => () => {
  new WorkerFarm(worker, { max: 1 }).run(method, [], { onProgress: ready }).catch(() => {})
}

const states = {
  idle: async () => {
    const farm = new WorkerFarm(worker, { min: 2, max: 2 }).ref()
    await farm.ready()
    ready(farm.stats().workers.map(({ pid }) => pid))
  },
  waiting: doing('wait'),
  busy: doing('spin'),
  stopped: doing('wait'),
  // Killed at some time after that, in any moment of the start of three workers.
  starting: () => {
    const farm = new WorkerFarm(worker, { max: 3 })
    for (let n = 0; n < 3; n++) farm.run('family').catch(() => {})
    ready([])
  },
  family: doing('family'),
  'busy family': doing('familyAndSpin'),
  'stopped family': doing('family'),
  nested: doing('nested'),
  sessions: doing('sessions'),
  script: () => {
    const { service } = new WorkerFarm({ fork: path.join(__dirname, 'script.cjs') }, { max: 1 }).ref()
    service.request('go').then(ready)
  },
  thread: () => {
    const { Worker } = require('node:worker_threads')
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      const { WorkerFarm } = require(workerData.face)
      new WorkerFarm(workerData.worker, { max: 1 }).run('family', [], { onProgress: (pids) => parentPort.postMessage(pids) })
    `
    new Worker(code, { eval: true, workerData: { worker, face: path.join(__dirname, '..', '..', 'index.js') } }).on('message', ready)
  }
}

states[state]()
