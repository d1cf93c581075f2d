// The steps with the client of @hey-api/openapi-ts.
import * as api from './gen/hey-api';
import { client } from './gen/hey-api/client.gen';
import { formDataBodySerializer } from './gen/hey-api/client';
import { assert, credentials, customerName, image, memberName, only, roleName, url } from './setting';

async function main() {
  client.setConfig({ baseUrl: url, throwOnError: true });
  const throwOnError = true;
  const { data: { token } } = await api.apiAuthPassword({ body: credentials, throwOnError });
  client.setConfig({ auth: `Token ${token}` });
  const customers = await api.customersList({ query: { name_exact: customerName }, throwOnError });
  const users = await api.usersList({ query: { username: memberName }, throwOnError });
  const roles = await api.rolesList({ query: { name: roleName }, throwOnError });
  const customer = only(customers.data).url;
  const grant = { role: only(roles.data).uuid, user: only(users.data).uuid };

  const list = await api.callManagingOrganisationsList({ query: { o: ['-customer_name'], page: 1, page_size: 2 }, throwOnError });
  assert.ok(list.data.length === 2 && list.data[0].customer_name > list.data[1].customer_name, JSON.stringify(list.data));

  const created = await api.callManagingOrganisationsCreate({ body: { customer, description: 'created' }, throwOnError });
  assert.equal(created.data.description, 'created');
  const path = { uuid: created.data.uuid };
  assert.deepEqual((await api.callManagingOrganisationsRetrieve({ path, throwOnError })).data, created.data);

  const change = async (body: api.PatchedCallManagingOrganisationRequest) =>
    (await api.callManagingOrganisationsPartialUpdate({ path, body, throwOnError })).data;
  assert.equal((await change({ description: 'changed' })).description, 'changed');
  // The types are those of the JSON body; another serializer sends a form.
  const body = { image: image() } as unknown as api.PatchedCallManagingOrganisationRequest;
  const uploaded = await api.callManagingOrganisationsPartialUpdate({
    path, body, ...formDataBodySerializer, headers: { 'Content-Type': null }, throwOnError,
  });
  assert.notEqual(uploaded.data.image, null);
  const cleared = await change({ image: null });
  assert.ok(cleared.image === null && cleared.description === 'changed', JSON.stringify(cleared));

  await api.callManagingOrganisationsAddUser({ path, body: grant, throwOnError });
  const members = await api.callManagingOrganisationsListUsersList({ path, throwOnError });
  assert.deepEqual(members.data.map((m) => [m.user_uuid, m.expiration_time]), [[grant.user, null]]);
  await api.callManagingOrganisationsDeleteUser({ path, body: grant, throwOnError });

  await api.callManagingOrganisationsDestroy({ path, throwOnError });
}

void main();
