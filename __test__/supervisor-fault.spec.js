'use strict';

const { gone, program } = require('./fixtures/life/processes');

/** With this in its environment a parent's supervisor panics when a farm is to be reloaded. */
const env = { ...process.env, FARM_FORCE_FAULT: '1' };

test('a fault of the supervisor rejects what its farm has open, and nothing hangs', async () => {
  const { code, stdout } = await program(
    `
    const farm = new WorkerFarm(worker, { max: 1, min: 1 });
    const neighbour = new WorkerFarm(worker, { max: 1 });
    const reasonOf = ({ code, reason, message }) => [code, reason, message.includes('asked for by FARM_FORCE_FAULT')];
    (async () => {
      const pids = [await farm.run('pid'), await neighbour.run('pid')];
      const said = new Promise((resolve) => {
        farm.run('hang', [], { onProgress: resolve }).catch((error) => say('started', reasonOf(error)));
      });
      farm.run('pid').catch((error) => say('waiting', reasonOf(error)));
      await said;
      await farm.reload().catch((error) => say('reload', reasonOf(error)));
      await farm.run('pid').catch((error) => say('later', reasonOf(error)));
      await farm.ready().catch((error) => say('ready', reasonOf(error)));
      await farm.close();
      await farm.destroy();
      say('state', farm.stats().state, farm.stats().workers.length);
      say('neighbour', (await neighbour.run('pid')) === pids[1]);
      const fresh = new WorkerFarm(worker, { max: 1 });
      say('fresh', await fresh.run('add', [1, 2]));
      await Promise.all([fresh.close(), neighbour.close()]);
      say('pids', ...pids);
    })();
    `,
    { env },
  );
  const why = 'ERR_FARM_CLOSED,supervisor,true';
  const lines = stdout.trim().split('\n');
  const pids = lines.pop().split(' ').slice(1).map(Number);
  expect(lines.sort()).toEqual(
    [`started ${why}`, `waiting ${why}`, `reload ${why}`, `later ${why}`, `ready ${why}`, 'state closed 0', 'neighbour true', 'fresh 3'].sort(),
  );
  expect(code).toBe(0);
  await gone(...pids);
});

test('a farm that is being closed then is closed', async () => {
  const { code, stdout } = await program(
    `
    const farm = new WorkerFarm(worker, { max: 1 });
    (async () => {
      await new Promise((resolve) => {
        farm.run('hang', [], { onProgress: resolve }).catch(({ code, reason }) => say(code, reason));
      });
      farm.reload().catch(() => {});
      await farm.close({ timeout: Infinity });
      say('closed');
    })();
    `,
    { env },
  );
  expect(stdout.trim().split('\n').sort()).toEqual(['ERR_FARM_CLOSED supervisor', 'closed']);
  expect(code).toBe(0);
});
