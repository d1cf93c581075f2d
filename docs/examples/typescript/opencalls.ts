// A server for the tests of one file. Each test that resets it finds the world of world.yaml.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const world = fileURLToPath(new URL('../world.yaml', import.meta.url));

// Starts a server and waits until it is ready.
export async function start() {
  const process = spawn(
    'opencalls',
    ['serve', '--sandbox', '--sandbox-clock', '2027-01-31T00:00:00Z', '--import', world,
      '--listen', '127.0.0.1:0', '--until-stdin-ends'],
    // The server ends with its standard input, which ends with this process, even by SIGKILL.
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let log = '';
  process.stderr.setEncoding('utf8').on('data', (text) => (log += text));
  const ended = once(process, 'close').then(([code, signal]): never => {
    throw new Error(`opencalls ended with ${code ?? signal}: ${log}`);
  });
  ended.catch(() => {}); // whoever waits for it is told
  const line = once(createInterface(process.stdout), 'line');
  const [first] = await Promise.race([line, ended]); // it comes once the server is ready
  const url = first.replace('listening on ', '');

  // Asks what controls the server, under /sandbox/.
  async function ask(method: string, path: string, body?: unknown) {
    const asked = fetch(`${url}/sandbox/${path}`, { method, body: JSON.stringify(body) });
    const answer = await asked.catch(() => ended); // nobody listens any more
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  return {
    url,
    async reset() {
      await ask('POST', 'reset/');
      await ask('DELETE', 'requests/');
    },
    setTime: (now: string) => ask('PUT', 'clock/', { now, speed: 0 }),
    advance: (by: string) => ask('POST', 'clock/advance/', { by }),
    fail: (operation: string, code: number, times: number) =>
      ask('PUT', 'faults/', [{ operation, code, times }]),
    requests: (): Promise<{ operationId: string; status: number; validation: string; body: string }[]> =>
      ask('GET', 'requests/'),
    async stop() {
      process.stdin.end();
      await ended.catch(() => {});
    },
  };
}
