// A run of tests whose server dies.
import { readFileSync } from 'node:fs';
import { after, beforeEach, test } from 'node:test';
import { start } from './opencalls.ts';

const server = await start();
beforeEach(() => server.reset());
after(() => server.stop());

test('died', () => {
  process.kill(Number(readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')), 'SIGKILL');
});
test('next', () => {});
