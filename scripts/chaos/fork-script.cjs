'use strict'

// A script as child_process.fork() runs it: answers each message.

if (require('node:fs').existsSync(process.env.FARM_CHAOS_BROKEN ?? '')) throw new Error('broken for a while')

process.on('message', ({ n, act, value }) => {
  if (act === 'exit') process.exit(value)
  if (act === 'die') process.kill(process.pid, value)
  if (act === 'late') setTimeout(() => process.send({ n, value }), value)
  if (act === 'echo') process.send({ n, value })
  // 'silent': no answer, ever.
})
