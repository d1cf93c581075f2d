// A run of tests that is killed.
import { readFileSync, writeFileSync } from 'node:fs';
import { start } from './opencalls.ts';

await start();
writeFileSync(process.env.PID_FILE!, readFileSync(`/proc/self/task/${process.pid}/children`));
process.kill(process.pid, 'SIGKILL');
