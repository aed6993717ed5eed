'use strict'

// A cgroup (v2) for the parent of a farm to be in, so that it may make others there.

const fs = require('node:fs')
const path = require('node:path')

/** Where the cgroup of this process is in the file system, at each mount that shows it. @returns {string[]} */
function own() {
  const name = /^0::(\/.*)$/m.exec(fs.readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
  if (name === undefined) return []
  const mounts = fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(' - cgroup2 '))
  return mounts.flatMap((line) => {
    const [root, place] = line.split(' ').slice(3, 5)
    const rest = path.posix.relative(root, name)
    return rest.startsWith('..') ? [] : [path.join(place, rest)]
  }).filter((folder) => fs.existsSync(folder))
}

let made = 0

/** Makes one below the cgroup of this process. @returns {{ group: string } | { why: string }} */
function delegated() {
  let why = 'there is no mount of cgroup v2 that shows the group of this process'
  for (const folder of own()) {
    const group = path.join(folder, `farm-test-${process.pid}-${++made}`)
    try {
      // Else nobody can be moved into what is in it.
      fs.accessSync(path.join(folder, 'cgroup.procs'), fs.constants.W_OK)
      fs.mkdirSync(group)
      if (fs.existsSync(path.join(group, 'cgroup.kill'))) return { group }
      fs.rmdirSync(group)
      why = 'this kernel has no cgroup.kill'
    } catch (error) {
      why = error.message
    }
  }
  return { why }
}

/** The groups in a group. @param {string} group @returns {string[]} */
const groupsIn = (group) => fs.readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name)

/** Ends all that is in a group and removes it. @param {string} group */
async function removed(group) {
  fs.writeFileSync(path.join(group, 'cgroup.kill'), '1')
  const remove = (folder) => {
    for (const name of groupsIn(folder)) remove(path.join(folder, name))
    fs.rmdirSync(folder)
  }
  for (;;) {
    if (fs.readFileSync(path.join(group, 'cgroup.events'), 'utf8').includes('populated 0')) return remove(group)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** What starts a program in a group: command and first arguments, then those of the program follow. @param {string} group */
const into = (group) => ['/bin/sh', '-c', `echo $$ > '${group}/cgroup.procs' && exec "$0" "$@"`]

module.exports = { own, delegated, groupsIn, removed, into }
