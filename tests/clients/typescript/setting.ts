// What the TypeScript clients have in common.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export { assert };
const { BASE_URL, USERNAME, PASSWORD, CUSTOMER, MEMBER, ROLE, IMAGE } = process.env as Record<string, string>;
export const url = BASE_URL;
export const credentials = { username: USERNAME, password: PASSWORD };
export const customerName = CUSTOMER;
export const memberName = MEMBER;
export const roleName = ROLE;

// only returns the one that was looked up.
export function only<T>(found: T[]): Required<T> {
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0] as Required<T>;
}

export const image = () => new File([readFileSync(IMAGE)], 'logo.png', { type: 'image/png' });

// upload sends an image without the generated client, for those that know JSON bodies alone.
export async function upload(uuid: string, authorization: string): Promise<void> {
  const body = new FormData();
  body.append('image', image());
  const answer = await fetch(`${url}/api/call-managing-organisations/${uuid}/`, {
    method: 'PATCH', headers: { Authorization: authorization }, body,
  });
  assert.equal(answer.status, 200, await answer.text());
}
