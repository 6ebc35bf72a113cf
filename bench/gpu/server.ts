// One way of ours to train or embed, as a process that answers line by line (see ../step-server.ts).
import { createInterface } from 'node:readline';
import { openOurs, type Way, type Work } from './ours.js';

const { work, way } = JSON.parse(process.argv[2]!) as { work: Work; way: Way };
const step = await openOurs(work, way);
process.stdout.write(`${JSON.stringify({ version: '' })}\n`);
for await (const _ of createInterface({ input: process.stdin })) {
  const start = performance.now();
  try {
    await step();
    process.stdout.write(`${(performance.now() - start) / way.stepsPerCall}\n`);
  } catch (error) {
    process.stdout.write(`error ${(error as Error).message.split('\n')[0]}\n`);
  }
}
process.exit(0);
