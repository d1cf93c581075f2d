import assert from 'node:assert/strict';
import { afterAll, beforeEach, test } from 'vitest';
import * as api from './client/index.ts';
import { client } from './client/client.gen.ts';
import { start } from './opencalls.ts';

const tartu = { uuid: '0c000000-0000-4000-8000-000000000001' };
const bob = 'e0000000-0000-4000-8000-000000000002';

const server = await start();
beforeEach(() => server.reset());
afterAll(() => server.stop());

client.setConfig({ baseUrl: server.url, auth: 'Token token-of-alice' });
const zagreb = {
  customer: `${server.url}/api/customers/c0000000-0000-4000-8000-000000000002/`,
  description: 'Calls of Zagreb',
};

// What the client throws is the error's body, so that its status is looked at.
async function list() {
  const { data, response } = await api.callManagingOrganisationsList();
  return { status: response?.status, descriptions: data?.map((o) => o.description) };
}

test('the world is there', async () => {
  assert.deepEqual((await list()).descriptions, ['Calls of Tartu']);
});

test('create', async () => {
  const made = await api.callManagingOrganisationsCreate({ body: zagreb, throwOnError: true });
  const { data } = await api.callManagingOrganisationsRetrieve({ path: made.data, throwOnError: true });
  assert.equal(data.customer_name, 'University of Zagreb');
});

test('the last test left nothing', async () => {
  // A second organisation of this customer would be refused.
  await api.callManagingOrganisationsCreate({ body: zagreb, throwOnError: true });
  assert.equal((await list()).descriptions?.length, 2);
});

test('partial update', async () => {
  const body = { description: 'Other calls' };
  const { data } = await api.callManagingOrganisationsPartialUpdate({ path: tartu, body, throwOnError: true });
  assert.equal(data.description, 'Other calls');
});

test('destroy of an organisation with calls', async () => {
  const { response } = await api.callManagingOrganisationsDestroy({ path: tartu });
  assert.equal(response?.status, 400);
});

test('without rights', async () => {
  const auth = 'Token token-of-bob';
  const { response } = await api.callManagingOrganisationsPartialUpdate({ path: tartu, body: {}, auth });
  assert.equal(response?.status, 403);
});

test('a role ends', async () => {
  // The clock stands at the end of January.
  const body = { role: 'CUSTOMER.CALL_ORGANIZER', user: bob, expiration_time: '2027-02-01T00:00:00Z' };
  await api.callManagingOrganisationsAddUser({ path: tartu, body, throwOnError: true });
  const members = async () => (await api.callManagingOrganisationsListUsersList({ path: tartu })).data;
  assert.deepEqual((await members())?.map((m) => m.user_username), ['bob']);
  await server.advance('25h');
  assert.deepEqual(await members(), []);
});

test('a round closes', async () => {
  const closing = async () =>
    (await api.callManagingOrganisationsStatsRetrieve({ path: tartu })).data?.rounds_closing_in_one_week;
  assert.equal(await closing(), 1);
  await server.setTime('2027-02-02T00:00:00Z');
  assert.equal(await closing(), 0);
});

test('a fault that passes', async () => {
  await server.fail('call_managing_organisations_list', 503, 2);
  assert.deepEqual([(await list()).status, (await list()).status, (await list()).status], [503, 503, 200]);
});

test('what was sent', async () => {
  await api.callManagingOrganisationsPartialUpdate({ path: tartu, body: { description: 'Other calls' } });
  const sent = (await server.requests()).map((r) => [r.operationId, r.status, r.validation, r.body]);
  assert.deepEqual(sent, [
    ['call_managing_organisations_partial_update', 200, 'valid', '{"description":"Other calls"}'],
  ]);
});
