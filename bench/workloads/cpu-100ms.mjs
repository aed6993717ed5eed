import { cpuTasks } from '../cpu-tasks.mjs';

export const title = 'CPU-bound tasks of 100 ms, a worker for each core, 16 outstanding';
export const metrics = { rate: { title: 'tasks/s', unit: '/s', higher: true } };

/** @param {import('./index.mjs').Context} context */
export const measure = (context) => cpuTasks(context, 100);
