import { keepInFlight, warmUp } from '../drive.mjs';

export const title = 'Echo of an array of 100 records (10 KB as JSON), 8 in flight';
export const metrics = { rate: { title: 'calls/s', unit: '/s', higher: true } };

const IN_FLIGHT = 8;

const CITIES = ['Rotterdam', 'Valparaíso', 'Leeds', 'Busan', 'Montréal'];
const records = Array.from({ length: 100 }, (_, i) => ({
  id: 100000 + i,
  name: `Person ${i}`,
  city: CITIES[i % CITIES.length],
  active: i % 3 !== 0,
  score: i * 1.25,
  tags: ['a', `t${i % 7}`],
}));

/** @param {import('./index.mjs').Context} context */
export async function measure({ open, ms, warmUpMs }) {
  const pool = await open();
  const task = () => pool.run('echo', records);
  await warmUp(task, { inFlight: IN_FLIGHT, ms: warmUpMs, expected: records });
  const { count, ms: took } = await keepInFlight(task, IN_FLIGHT, ms);
  return { rate: (count / took) * 1000 };
}
