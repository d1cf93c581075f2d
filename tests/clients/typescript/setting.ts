// What the TypeScript clients have in common.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export { assert };
const { BASE_URL, TOKEN, CUSTOMER, USER_UUID, IMAGE } = process.env as Record<string, string>;
export const url = BASE_URL;
export const authorization = `Token ${TOKEN}`;
export const customer = CUSTOMER;
export const grant = { role: 'CUSTOMER.CALL_ORGANIZER', user: USER_UUID };
export const image = () => new File([readFileSync(IMAGE)], 'logo.png', { type: 'image/png' });

// upload sends an image without the generated client, for those that know JSON bodies alone.
export async function upload(uuid: string): Promise<void> {
  const body = new FormData();
  body.append('image', image());
  const answer = await fetch(`${url}/api/call-managing-organisations/${uuid}/`, {
    method: 'PATCH', headers: { Authorization: authorization }, body,
  });
  assert.equal(answer.status, 200, await answer.text());
}
